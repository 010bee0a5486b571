"""Runs a GAP program and reads the JSON that it prints."""

import json
import subprocess
from typing import Any

# Json: nested lists of integers, booleans and strings. FromZero: a permutation as images of 0…n-1.
# Expansion: a cyclotomic as [conductor N, coefficients of exp(2πi/N)^k].
PRELUDE = """
LoadPackage("smallgrp");; LoadPackage("ctbllib");;
SizeScreen([4096, 4096]);;
Json := function(x)
  if IsString(x) and not (IsList(x) and Length(x) = 0) then return Concatenation("\\"", x, "\\"");
  elif IsList(x) then return Concatenation("[", JoinStringsWithSeparator(List(x, Json), ","), "]");
  elif x = true then return "true";
  elif x = false then return "false";
  else return String(x); fi;
end;;
FromZero := function(p, n) return List([1..n], i -> i^p - 1); end;;
Expansion := x -> [Conductor(x), CoeffsCyc(x, Conductor(x))];;
"""


def run(program: str) -> list[Any]:
    """The values that ``program`` prints, each as ``Print("@", Json(value), "\\n")``."""
    result = subprocess.run(
        ["gap", "-q", "-b"],
        input=PRELUDE + program + "\nQUIT;\n",
        capture_output=True,
        text=True,
        check=True,
    )
    # GAP breaks long lines with a backslash.
    text = result.stdout.replace("\\\n", "")
    complaints = [line for line in (text + result.stderr).splitlines() if "@" not in line]
    if any("Error" in line for line in complaints):
        raise RuntimeError("\n".join(complaints)[:2000])
    return [json.loads(line.split("@", 1)[1]) for line in text.splitlines() if "@" in line]


def version() -> str:
    """Versions of GAP and of the packages used."""
    found = run(
        'Print("@", Json([GAPInfo.Version, '
        'PackageInfo("smallgrp")[1].Version, PackageInfo("ctbllib")[1].Version]), "\\n");'
    )[0]
    return f"GAP {found[0]} (SmallGrp {found[1]}, CTblLib {found[2]})"
