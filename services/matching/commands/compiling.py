"""Compiles the ranking engine ahead of its first use."""

import typer
from rich.console import Console

from services.matching.app import load_rules
from services.matching.domain import pricing
from services.matching.domain.engine import warm_up


def compile_() -> None:
    """Compile the ranking engine ahead; without this the first start does it, and takes longer."""
    rules = load_rules()
    with Console(stderr=True).status("compiling the ranking engine"):
        warm_up(rules.policy, rules.places)
        pricing.warm_up()
    typer.echo("the ranking engine is compiled")
