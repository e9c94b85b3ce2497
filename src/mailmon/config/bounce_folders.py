"""What may be said of the folder in which an account's bounces arrive?"""

from __future__ import annotations

from typing import Annotated

from mailmon.options import About, Folder, options


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

    test: Annotated[BounceFolderOptions | None, About("The folders of `mailmon bounces scan --test`")] = None
