"""Whether the machine has room for the stack."""

import shutil
from pathlib import Path

import psutil

from deploy.local.faults import StackFault

MEMORY_MB = 1200
DISK_MB = 1500


def require(folder: Path, *, memory_mb: int = MEMORY_MB, disk_mb: int = DISK_MB) -> None:
    """Refuses to start where memory or disk is short, and says how much is needed."""
    free_memory = psutil.virtual_memory().available // 2**20
    free_disk = shutil.disk_usage(folder).free // 2**20
    short = []
    if free_memory < memory_mb:
        short.append(f"{memory_mb} MB of free memory, and there are {free_memory} MB")
    if free_disk < disk_mb:
        short.append(f"{disk_mb} MB of free disk below {folder}, and there are {free_disk} MB")
    if short:
        raise StackFault("Attune needs " + "; it needs ".join(short))
