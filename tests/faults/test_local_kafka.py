"""Kafka's folder is laid out whatever identifier chance brings."""

from pathlib import Path

from rich.console import Console

from deploy.local import downloads, kafka
from deploy.local.java import find_java


def test_a_cluster_id_that_begins_with_a_dash_is_no_option(tmp_path: Path) -> None:
    lock = downloads.read_lock()
    jars = downloads.fetch(lock, downloads.cache() / f"kafka-{lock.version}", Console(quiet=True))
    data, properties = tmp_path / "data", tmp_path / "server.properties"
    properties.write_text(kafka.PROPERTIES.format(port=9092, controller_port=9093, data=data))

    kafka.lay_out([find_java().path, "-cp", f"{jars}/*"], properties, "-4b0y6ZrQfWrFZ1hVYkgCA")

    assert "cluster.id=-4b0y6ZrQfWrFZ1hVYkgCA" in (data / "meta.properties").read_text()
