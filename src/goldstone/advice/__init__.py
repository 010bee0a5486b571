"""Floor 6: from a verdict to what to do about it."""

from goldstone.advice.price_tag import price_tag
from goldstone.advice.price_tag_results import ElementPrice, PriceCurve, PriceTag

__all__ = ["ElementPrice", "PriceCurve", "PriceTag", "price_tag"]
