"""Settings shared by all tests."""

from hypothesis import settings

# No deadline: the first call of a torch kernel and a busy machine both look like slow tests.
# Derandomised: a commit passes or fails, whoever runs it.
settings.register_profile("goldstone", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("goldstone")
