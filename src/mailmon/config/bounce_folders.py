"""Options of the folder in which an account's bounces arrive, and of the notices about them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mailmon.typedjson.declare import About, Address, Between, Folder, Host, Name, options

MAX_READERS = 20


@options
class BounceFolderOptions:
    """A folder to read bounces from. Without a folder to move mail to it is opened read-only."""

    folder: Annotated[Folder, About("Folder in which bounces arrive")]
    processed: Annotated[Folder | None, About("Folder to move bounces, delay notifications and complaints to")] = None
    skipped: Annotated[Folder | None, About("Folder to move all other mail to; by default it stays")] = None
    problem: Annotated[Folder | None, About("Folder to move unreadable mail to")] = None
    create_folders: Annotated[bool, About("Create missing folders")] = False

    def __post_init__(self) -> None:
        if self.folder in (self.processed, self.skipped, self.problem):
            raise ValueError(f"{self.folder!r} is both source and target: use different folders")


@options
class BounceOptions(BounceFolderOptions):
    """The folder in which an account's bounces arrive, and one for tests."""

    sent: Annotated[
        Folder | None,
        About("Folder of sent mail: a copy in it proves that a returned message is ours (`bounce_notices.cc`)"),
    ] = None
    test: Annotated[BounceFolderOptions | None, About("Folders of `mailmon bounces scan --test`")] = None


@options
class NoticeOptions:
    """Mail about each bounce, to fixed addresses and, with proof, to the Cc. Off without this table."""

    ALIASES: ClassVar[dict[str, str]] = {"sender": "from"}

    account: Annotated[Name, About("Account to send through")]
    to: Annotated[tuple[Address, ...], About("Addresses to notify of every bounce")]
    sender: Annotated[Address | None, About("From header of the notices; by default the account's address")] = None
    cc: Annotated[
        bool, About("Also notify the Cc of a returned message that a signature or a sent copy proves to be ours")
    ] = False
    cc_domains: Annotated[
        tuple[Host, ...], About("Own domains: of the signature, and of the Cc addresses that may be notified")
    ] = ()
    max_cc: Annotated[int, Between(1, 100), About("Maximum number of Cc addresses to notify per message")] = 5
    test_to: Annotated[tuple[Address, ...], About("Addresses to notify instead with `bounces scan --test`")] = ()
    max_per_hour: Annotated[int, Between(1, 10_000), About("Maximum number of notices per hour; the others wait")] = 50

    def __post_init__(self) -> None:
        if not 1 <= len(self.to) <= MAX_READERS:
            raise ValueError(f"to: must be a list of 1 to {MAX_READERS} addresses")
        if self.cc and not self.cc_domains:
            raise ValueError(
                "cc: also set cc_domains to your own domains; otherwise anyone could make mailmon write to anyone"
            )
