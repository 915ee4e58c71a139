"""Kafka's folder is laid out whatever identifier chance brings, and wherever it lies."""

from pathlib import Path

from rich.console import Console

from deploy.local import kafka, processes
from deploy.local.java import find_java
from shared.kit.kafka import Kafka
from shared.kit.testing import eventually


def test_a_cluster_id_that_begins_with_a_dash_is_no_option(tmp_path: Path) -> None:
    jars = kafka.fetch(Console(quiet=True))
    data, properties = tmp_path / "data", tmp_path / "server.properties"
    properties.write_text(kafka.PROPERTIES.format(port=9092, controller_port=9093, data=data))

    kafka.lay_out([find_java().path, "-cp", f"{jars}/*"], properties, "-4b0y6ZrQfWrFZ1hVYkgCA")

    assert "cluster.id=-4b0y6ZrQfWrFZ1hVYkgCA" in (data / "meta.properties").read_text()


async def test_it_runs_in_a_folder_with_any_name_and_after_a_start_that_was_killed(tmp_path: Path) -> None:
    folder = tmp_path / "Jürgen's, 東 = new"
    half = folder / "data.new"
    half.mkdir(parents=True)
    (half / "bootstrap.checkpoint").write_bytes(b"half")
    port = processes.free_port()
    command = kafka.prepare(
        folder, port=port, controller_port=processes.free_port(), console=Console(quiet=True)
    )
    broker = kafka.start(folder, command)
    try:
        await eventually(Kafka((f"127.0.0.1:{port}",)).reachable, within=60, what="Kafka")
    finally:
        broker.kill()
        broker.wait()

    assert not half.exists()
    assert (folder / "data" / "__cluster_metadata-0").is_dir()
