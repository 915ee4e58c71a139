"""One real Kafka node, broker and controller in one process."""

import base64
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from deploy.local import downloads, processes
from deploy.local.java import find_java

HEAP_MB = 256
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
"""Without it, Java cannot read a path that holds more than ASCII."""

AUTO_ARCHIVE = 19
"""From this Java on, class archives are made and renewed by themselves."""

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
# Relative, as the whole path may hold what this file cannot: commas, letters that are not Latin.
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
# One node has no other that would still know: what is acknowledged has to be on the disk.
log.flush.interval.messages=1
log.cleaner.dedupe.buffer.size=16777216
"""


def fetch(console: Console) -> Path:
    """Fetches Kafka if it is not here; returns the folder of its jars."""
    lock = downloads.read_lock()
    return downloads.fetch(lock, downloads.cache() / f"kafka-{lock.version}", console)


def prepare(
    folder: Path, *, port: int, controller_port: int, console: Console, heap_mb: int = HEAP_MB
) -> list[str]:
    """Fetches Kafka if it is not here and lays out its folder; returns the command that starts it."""
    java = find_java()
    jars = fetch(console)
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(PROPERTIES.format(port=port, controller_port=controller_port, data="data"))
    program = [java.path, "-cp", f"{jars}/*"]
    if not (folder / "data").exists():
        # Under another name until it is whole: half a folder would never be mended.
        new = folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        draft = folder / "new.properties"
        draft.write_text(PROPERTIES.format(port=port, controller_port=controller_port, data=new.name))
        lay_out(program, draft, base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
        new.rename(folder / "data")
    archive = jars / f"classes-java{java.major}.jsa"
    sharing = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
    if java.major >= AUTO_ARCHIVE:
        sharing = ["-XX:+AutoCreateSharedArchive", f"-XX:SharedArchiveFile={archive}"]
    elif not archive.exists():
        sharing = [f"-XX:ArchiveClassesAtExit={archive}"]
    return [
        program[0],
        f"-Xms{min(128, heap_mb)}m",
        f"-Xmx{heap_mb}m",
        *JVM,
        *sharing,
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        *program[1:],
        "kafka.Kafka",
        str(properties),
    ]


def lay_out(program: Sequence[str], properties: Path, cluster_id: str) -> None:
    """Makes the folder that the properties name into an empty cluster's."""
    # One id in sixty-four begins with a dash, and would be taken for an option if it stood alone.
    named = f"--cluster-id={cluster_id}"
    processes.run(
        [*program, *JVM, "kafka.tools.StorageTool", "format", named, "-c", str(properties)],
        environment=ENVIRONMENT,
        working_directory=properties.parent,
    )


def start(folder: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Starts Kafka with the command that `prepare` returned."""
    return processes.start(command, folder / "kafka.log", environment=ENVIRONMENT, working_directory=folder)
