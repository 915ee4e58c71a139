"""`python -m shared.kit`: what belongs to no service: the topics and the keyring."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from shared.kit import migrating, topics
from shared.kit.command_line import finish, keyring_of, loaded
from shared.kit.kafka import Kafka
from shared.kit.keyring import Keyring
from shared.kit.keyring.boxes import new_key as fresh_key
from shared.kit.settings import KafkaSettings, KeyringSettings, KitSettings

TopicsFile = Annotated[Path, typer.Argument(help="The topics, as YAML.", exists=True, dir_okay=False)]

commands = typer.Typer(
    name="python -m shared.kit",
    help="Looks after the topics and the keyring, which belong to no service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topic_commands = typer.Typer(help="Kafka's topics. Needs KAFKA_URL.", no_args_is_help=True)
keyring_commands = typer.Typer(help="The keyring's database and keys.", no_args_is_help=True)
commands.add_typer(topic_commands, name="topics")
commands.add_typer(keyring_commands, name="keyring")


@topic_commands.command("apply")
def apply_topics(
    file: TopicsFile,
    replication: Annotated[int | None, typer.Option(min=1, help="Instead of what the file says.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for Kafka to answer.")] = 60,
) -> None:
    """Create the topics that are missing, and set the others as the file says, telling what was changed.

    Settings that the file does not name stay, and so do partitions; `check` says how they differ.
    """
    settings = loaded(KafkaSettings)

    async def work() -> None:
        kafka = Kafka.of(settings)
        wanted = topics.read(file)
        if replication is not None:
            wanted = [replace(topic, replication=replication) for topic in wanted]
        await kafka.wait_for([], wait)
        applied = await topics.apply(kafka, wanted)
        for stream in applied.created:
            typer.echo(f"created {kafka.topic(stream)}")
        for each in applied.changed:
            typer.echo(f"changed {each.topic}: {each.setting} is {each.wanted}, was {each.found}")
        new = len(applied.created)
        typer.echo(
            f"{new} topics created, {len(wanted) - new} were there, {len(applied.changed)} settings changed"
        )

    finish(work(), _kafka(settings))


@topic_commands.command("check")
def check_topics(file: TopicsFile) -> None:
    """Say where the cluster differs from the file; exits 1 if it does."""
    settings = loaded(KafkaSettings)

    async def work() -> int:
        wanted = topics.read(file)
        found = await topics.differences(Kafka.of(settings), wanted)
        for difference in found or [f"{len(wanted)} topics are as the file says"]:
            typer.echo(difference)
        return len(found)

    if finish(work(), _kafka(settings)):
        raise typer.Exit(1)


@keyring_commands.command("migrate")
def migrate_keyring() -> None:
    """Bring the keyring's database (KEYRING_URL) up to date; safe to run at any time, by many at once."""
    settings = loaded(KeyringSettings)
    url = settings.keyring_url.get_secret_value()
    applied = finish(migrating.migrate(url, migrating.of_keyring()), keyring_of(settings))
    for migration in applied:
        typer.echo(f"applied {migration}")
    typer.echo(f"keyring: {len(applied)} migrations applied, the database is up to date")


@keyring_commands.command("check")
def check_keyring() -> None:
    """Prove that the sealing keys of this environment fit the keyring."""
    settings = loaded(KitSettings)

    async def work() -> None:
        async with await Keyring.open(settings) as keyring:
            await keyring.check()

    finish(work(), keyring_of(settings))
    typer.echo("the sealing keys fit the keyring")


@keyring_commands.command("status")
def keyring_status() -> None:
    """Count the data keys: in use, and destroyed by erasure."""
    settings = loaded(KeyringSettings)

    async def work() -> list[tuple[str, int, int]]:
        connection = await asyncpg.connect(settings.keyring_url.get_secret_value(), timeout=10)
        try:
            rows = await connection.fetch(
                """
                SELECT 'contact' AS purpose, count(wrapped) AS used, count(destroyed_at) AS destroyed
                FROM contact_keys
                UNION ALL
                SELECT 'clinical', count(wrapped), count(destroyed_at) FROM clinical_keys
                """
            )
        finally:
            await connection.close(timeout=5)
        return [(row["purpose"], row["used"], row["destroyed"]) for row in rows]

    for purpose, used, destroyed in finish(work(), keyring_of(settings)):
        typer.echo(f"{purpose:9} {used} in use, {destroyed} destroyed")


@keyring_commands.command("new-key")
def new_key() -> None:
    """Print a fresh sealing key, for SEALING_KEY_CONTACT or SEALING_KEY_CLINICAL."""
    typer.echo(base64.b64encode(fresh_key()).decode())


def _kafka(settings: KafkaSettings) -> str:
    return f"Kafka at {settings.kafka_url}"


if __name__ == "__main__":
    commands()
