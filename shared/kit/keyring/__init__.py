"""Seals personal and clinical data per person and purpose; destroying the keys erases it everywhere."""

from shared.kit.keyring.keyring import Keyring
from shared.kit.keyring.sealing import NoKeyForPurpose

__all__ = ["Keyring", "NoKeyForPurpose"]
