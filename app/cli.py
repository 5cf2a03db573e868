"""Commands of `flask --app wsgi`: each calls one service."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
from flask import Flask, current_app

from app.catalog import dictionary
from app.core.db import db
from app.offers import listing
from app.settings import Settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def init_app(app: Flask) -> None:
    """Register the commands; Alembic takes half a second to load, so only the command line loads it."""
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        init_migrations(app)
    app.cli.add_command(demo)
    app.cli.add_command(rebuild_listing)
    app.cli.add_command(rebuild_search)


def init_migrations(app: Flask) -> None:
    """Let `flask db` and tests migrate the database of this application."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(MIGRATIONS))


@click.command("demo")
@click.option("--if-empty", is_flag=True, help="Do nothing when there is a catalogue already.")
@click.option("--scale", type=click.IntRange(1, 2_000_000), help="So many products with three offers each, no orders.")
def demo(if_empty: bool, scale: int | None) -> None:
    """Load the demo market into an empty database. Refused in production."""
    settings: Settings = current_app.extensions["settings"]
    if settings.is_production:
        raise click.ClickException("the demo data set is refused in production")
    from app.demo import history, loader  # read YAML and the roads: only here

    if not loader.is_empty():
        if if_empty:
            return
        raise click.ClickException("the database already has a catalogue; the demo needs an empty one")
    started = time.perf_counter()
    if scale:
        from app.demo.scale import grow

        made = grow(scale, lambda done, total: click.echo(f"{done:,} of {total:,} products"))
        click.echo(f"{made:,} products loaded in {time.perf_counter() - started:.1f} s")
        return
    loader.load_market()
    history.make_history()
    click.echo(f"demo market loaded in {time.perf_counter() - started:.1f} s")


@click.command("rebuild-listing")
def rebuild_listing() -> None:
    """Recalculate what product lists show of offers and stock."""
    listing.rebuild()


@click.command("rebuild-search")
def rebuild_search() -> None:
    """Write anew what products are found by, and the dictionary that queries are corrected by."""
    click.echo(f"{dictionary.rebuild()} products indexed")
