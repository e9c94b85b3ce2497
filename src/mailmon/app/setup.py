"""The configuration, loaded from its file, the environment and given values; and the way to its state."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from mailmon.config import Overrides, Setup, load, resolve
from mailmon.config.load import environment_overrides, variable_names
from mailmon.store.files import must_be_a_state_file


def now() -> datetime:
    """Return the present time, aware and in UTC."""
    return datetime.now(UTC)


def open_setup(path: Path | None, environ: Mapping[str, str], overrides: Overrides = Overrides()) -> Setup:  # noqa: B008 -- it is immutable
    """Load the configuration with its secrets and enter its state, for a program that keeps the setup.

    Raises ConfigError, StateError.
    """
    setup = load_setup(path, environ, overrides)
    enter_state(setup, path)
    must_be_a_state_file(setup.state_file)
    return setup


def load_setup(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Overrides = Overrides(),  # noqa: B008 -- it is immutable
    *,
    with_secrets: bool = True,
    must_check: bool = False,
    uses_state: bool = True,
) -> Setup:
    """Load the configuration: defaults < file < environment < given values. Raises ConfigError.

    With `uses_state`, StateError is raised where root cannot become the user that the state belongs to; `enter_state`
    comes next.
    """
    environment = environment_overrides(environ)
    given = {key: value for key, value in overrides.values.items() if value is not None}
    if any(key.startswith("password") for key in given):
        environment = {key: value for key, value in environment.items() if not key.startswith("password")}
    names = variable_names()
    origins = {key: f"--{key.replace('_', '-')}" if key in given else names[key] for key in {**environment, **given}}
    merged = Overrides({**environment, **given}, overrides.nameservers, origins)
    loaded = load(path, merged, environ, must_check=must_check, with_secrets=with_secrets)
    if uses_state:
        # Before the secrets: where only the unit gets to its state, only the unit may have them.
        _must_reach(loaded.state_file, path)
    return resolve(loaded, path, environ, with_secrets=with_secrets, must_check=must_check)


def enter_state(setup: Setup, path: Path | None, *, writes: bool = True) -> None:
    """As root, become the user that the state belongs to, for good. Raises StateError where that is not possible.

    What only root can read was read before. The first one that uses the state of a configuration takes over what the
    old common state holds of it; without `writes`, for a dry run, it does not.
    """
    if os.geteuid() == 0:
        from mailmon.store.owner import owner_of

        if owner := owner_of(setup.state_file):
            from mailmon.app.root import become_owner

            become_owner(owner, setup, path)
    if writes and setup.place and not setup.place.is_settled:
        from mailmon.run.inherit import take_over

        take_over(setup, now())


def is_another_users(setup: Setup) -> bool:
    """Return whether root would become another user in `enter_state`. Raises StateError."""
    if os.geteuid() != 0:
        return False
    from mailmon.store.owner import owner_of

    return owner_of(setup.state_file) is not None


def _must_reach(state_file: Path, path: Path | None) -> None:
    """As root, make sure that the user that the state belongs to can reach it. Raises StateError with the command to
    use instead."""
    if os.geteuid() == 0:
        from mailmon.store.owner import owner_of

        if owner := owner_of(state_file):
            from mailmon.app.root import must_be_reachable

            must_be_reachable(owner, state_file, path)
