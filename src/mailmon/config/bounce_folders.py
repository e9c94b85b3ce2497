"""What may be said of the folder in which an account's bounces arrive, and of those who are told?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from mailmon.typedjson.declare import About, Address, Between, Folder, Host, Name, options

MAX_READERS = 20


@options
class BounceFolderOptions:
    """A folder that is read for bounces. Without a folder to move to it is opened for reading only."""

    folder: Annotated[Folder, About("Folder in which bounces arrive")]
    processed: Annotated[Folder | None, About("Folder to which bounces, delays and complaints are moved")] = None
    skipped: Annotated[Folder | None, About("Folder to which all other mail is moved; by default it stays")] = None
    problem: Annotated[Folder | None, About("Folder to which mail is moved that could not be read")] = None
    create_folders: Annotated[bool, About("Create these folders where they are missing")] = False

    def __post_init__(self) -> None:
        if self.folder in (self.processed, self.skipped, self.problem):
            raise ValueError(f"{self.folder!r} is to be moved into itself: name another folder")


@options
class BounceOptions(BounceFolderOptions):
    """The folder in which an account's bounces arrive, and one to try it with."""

    sent: Annotated[
        Folder | None,
        About("Folder of sent mail: a copy in it shows that a returned message is ours (`bounce_notices.cc`)"),
    ] = None
    test: Annotated[BounceFolderOptions | None, About("The folders of `mailmon bounces scan --test`")] = None


@options
class NoticeOptions:
    """Mail about each bounce, for fixed addresses and, with proof, for the Cc. Off unless this table is there."""

    ALIASES: ClassVar[dict[str, str]] = {"sender": "from"}

    account: Annotated[Name, About("Account to send through")]
    to: Annotated[tuple[Address, ...], About("Addresses that are told of every bounce")]
    sender: Annotated[Address | None, About("From of the notices; by default the account's address")] = None
    cc: Annotated[
        bool, About("Tell also those in the Cc of a returned message that a signature or a sent copy shows to be ours")
    ] = False
    cc_domains: Annotated[
        tuple[Host, ...], About("Own domains: of the signature, and of the Cc addresses that may be told")
    ] = ()
    max_cc: Annotated[int, Between(1, 100), About("Cc addresses of one message that are told at most")] = 5
    test_to: Annotated[tuple[Address, ...], About("Addresses that are told instead by `bounces scan --test`")] = ()
    max_per_hour: Annotated[int, Between(1, 10_000), About("Notices in an hour at most; the others wait")] = 50

    def __post_init__(self) -> None:
        if not 1 <= len(self.to) <= MAX_READERS:
            raise ValueError(f"to: must be a list of 1 to {MAX_READERS} addresses")
        if self.cc and not self.cc_domains:
            raise ValueError("cc: name the own domains in cc_domains, else anybody could have anybody written to")
