"""Runs review, migrates its database, keeps its dead letters and its staff accounts."""

import json
import secrets
import sys
from typing import Annotated, NoReturn

import typer

from services.review.app import build_app
from services.review.domain.staff import Role, Staff, password_fault
from services.review.handlers import handlers
from services.review.settings import Settings
from services.review.store import accounts
from services.review.store.passwords import Passwords
from shared.contract.ids import StaffId
from shared.kit.command_line import AsJson, command_line, furnish
from shared.kit.errors import Fatal
from shared.kit.handlers import Bound
from shared.kit.identifiers import new_id
from shared.kit.service import Service

commands = command_line("review", "Where staff see cases and decide.", Settings, build_app, handlers)
staff_accounts = typer.Typer(no_args_is_help=True, help="Keep the accounts of staff.")
commands.add_typer(staff_accounts, name="accounts")

Email = Annotated[str, typer.Argument(help="What they sign in with.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@staff_accounts.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="Their name as colleagues know it.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.REVIEWER,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add an account; without --password-stdin a password is made and printed once."""
    staff = Staff(StaffId(new_id()), _checked_name(name), _checked_email(email), role)
    password, made = _password(staff.email, password_stdin)

    async def work(service: Service, _bound: Bound) -> None:
        hashed = await _passwords(service).hash(password)
        async with service.database.transaction() as tx:
            try:
                await accounts.add(tx, staff, hashed)
            except accounts.EmailTaken:
                raise Fatal(f"there is already an account for {staff.email}") from None

    furnish(Settings, build_app, work)
    _tell(as_json, "added", staff, made)


@staff_accounts.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """List all accounts."""

    async def work(service: Service, _bound: Bound) -> list[accounts.Account]:
        async with service.database.transaction() as tx:
            return await accounts.all_accounts(tx)

    found = furnish(Settings, build_app, work)
    if as_json:
        rows = [
            {
                "id": str(each.staff.id),
                "email": each.staff.email,
                "name": each.staff.name,
                "role": each.staff.role,
                "created_at": each.created_at.isoformat(),
                "disabled_at": each.disabled_at and each.disabled_at.isoformat(),
            }
            for each in found
        ]
        typer.echo(json.dumps(rows))
        return
    for each in found:
        state = "disabled" if each.disabled_at else each.staff.role
        typer.echo(f"{each.staff.email:40} {state:12} {each.staff.name}")
    if not found:
        typer.echo("no accounts yet: add one with `accounts add`")


@staff_accounts.command()
def disable(email: Email) -> None:
    """Disable an account: its sessions end and its cases are released."""

    async def work(service: Service, _bound: Bound) -> bool:
        async with service.database.transaction() as tx:
            return await accounts.disable(tx, _checked_email(email))

    if not furnish(Settings, build_app, work):
        _stop(f"there is no account for {email}")
    typer.echo(f"disabled {email}")


@staff_accounts.command()
def enable(email: Email) -> None:
    """Enable an account again: its password is the one it had."""

    async def work(service: Service, _bound: Bound) -> bool:
        async with service.database.transaction() as tx:
            return await accounts.enable(tx, _checked_email(email))

    if not furnish(Settings, build_app, work):
        _stop(f"there is no disabled account for {email}")
    typer.echo(f"enabled {email}")


@staff_accounts.command("reset-password")
def reset_password(email: Email, password_stdin: FromStdin = False, as_json: AsJson = False) -> None:
    """Give an account a new password; its sessions end. One that is disabled stays so."""
    address = _checked_email(email)
    password, made = _password(address, password_stdin)

    async def work(service: Service, _bound: Bound) -> Staff | None:
        hashed = await _passwords(service).hash(password)
        async with service.database.transaction() as tx:
            if not await accounts.set_password(tx, address, hashed):
                return None
            found = await accounts.all_accounts(tx)
        return next(each.staff for each in found if each.staff.email == address)

    staff = furnish(Settings, build_app, work)
    if staff is None:
        _stop(f"there is no account for {email}")
    _tell(as_json, "new password for", staff, made)


def _passwords(service: Service) -> Passwords:
    passwords: Passwords = service.provided[Passwords]
    return passwords


def _password(email: str, from_stdin: bool) -> tuple[str, str | None]:
    if not from_stdin:
        made = secrets.token_urlsafe(15)
        return made, made
    password = sys.stdin.readline().rstrip("\r\n")
    fault = password_fault(password, email)
    if fault is not None:
        _stop(f"the password {fault}")
    return password, None


def _checked_email(email: str) -> str:
    address = email.strip().lower()
    name, at, host = address.rpartition("@")
    if (
        not (name and at and host)
        or len(address) > 254
        or any(c.isspace() or not c.isprintable() for c in address)
    ):
        _stop("EMAIL must look like name@example.org")
    return address


def _checked_name(name: str) -> str:
    shown = " ".join(name.split())
    if not 1 <= len(shown) <= 120 or not shown.isprintable():
        _stop("--name must have 1 to 120 characters")
    return shown


def _tell(as_json: bool, what: str, staff: Staff, password: str | None) -> None:
    if as_json:
        told = {"id": str(staff.id), "email": staff.email, "name": staff.name, "role": staff.role}
        typer.echo(json.dumps(told | ({"password": password} if password else {})))
        return
    typer.echo(f"{what} {staff.email} ({staff.role})")
    if password:
        typer.echo(f"password: {password}")


def _stop(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    commands()
