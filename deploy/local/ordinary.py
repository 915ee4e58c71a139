"""Lets root start a program that refuses root: as an ordinary user to whom root's folders stay open."""

import ctypes
import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from deploy.local.faults import StackFault

_CLONE_NEWUSER = 0x10000000
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1


def way_in() -> Callable[[], None] | None:
    """What a child runs between fork and exec so as not to be root; None if it is not root anyway."""
    return _way_in() if os.geteuid() == 0 else None


@cache
def _way_in() -> Callable[[], None]:
    account = _account()
    # A container may forbid namespaces; a clone below /root is open to no other user without the capability.
    for way in (partial(_enter_namespace, account), partial(_drop_to, account)):
        if _works(way):
            return way
    raise StackFault("PostgreSQL does not run as root, and this machine lets root become nobody else here")


def _account() -> pwd.struct_passwd:
    """An account that exists, as PostgreSQL looks its name up."""
    ordinary = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not ordinary:
        raise StackFault("PostgreSQL does not run as root, and this machine has no other account")
    return next((entry for entry in ordinary if entry.pw_name == "nobody"), ordinary[0])


def _works(way: Callable[[], None]) -> bool:
    program = [sys.executable, "-I", "-c", "import os; raise SystemExit(os.geteuid() == 0)"]
    try:
        return subprocess.run(program, preexec_fn=way, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _enter_namespace(account: pwd.struct_passwd) -> None:
    """In a user namespace of its own, where root's files belong to that user."""
    libc, uid, gid = ctypes.CDLL(None, use_errno=True), account.pw_uid, account.pw_gid
    if libc.unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    for file, line in (("setgroups", "deny"), ("uid_map", f"{uid} 0 1"), ("gid_map", f"{gid} 0 1")):
        Path("/proc/self", file).write_text(line)


def _drop_to(account: pwd.struct_passwd) -> None:
    """As that user, keeping of root's powers only the one to pass closed folders."""
    if sys.platform != "linux":
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAP_VERSION_3, 0)
    only = 1 << _CAP_DAC_OVERRIDE
    sets = (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    kept = libc.capset(header, sets) == 0
    if not kept or libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0):
        raise OSError(ctypes.get_errno(), "capabilities are not kept here")
