"""Why an answer is wrong, and by how much, as fields; the sentences that people read are made of them here."""

from typing import Literal

from msgspec import Struct

Kind = Literal["mistake", "edit", "behaviour", "numbers", "form", "consequence", "held against", "circumstance"]


class Reason(Struct, frozen=True):
    """One reason for a failure: what is wrong, why people write it, how to mend it, and where it was seen.

    By `kind` it is a `mistake` of the catalogue, with its `name`; an `edit` of the right code, with the lines that are
    `right` and the `wrong` ones that give the target's answers, which a mistake may have too; a `behaviour` beside
    answering, with its name if it has one; what the `numbers` or the `form` of the answers say; a `consequence` of the
    target's own operations in `causes`; that the answer was `held against` those; or a `circumstance` of the run.
    `about` is the operation, where the statement speaks of several.
    """

    what: str
    name: str = ""
    why: str = ""
    mend: str = ""
    seen: str = ""
    right: str = ""
    wrong: str = ""
    about: str = ""
    kind: Kind = "numbers"
    causes: tuple[str, ...] = ()

    def parts(self) -> list[tuple[str, str]]:
        """What is wrong and, as far as it is known, why, how to mend it and where it was seen, each with its label."""
        what = ": ".join(filter(None, (self.about, self.name, self.what)))
        more = (("Why", self.why), ("Mend", self.mend), ("Seen", self.seen))
        return [("What", what), *((label, f"{text}.") for label, text in more if text)]

    def __str__(self) -> str:
        (_, what), *more = self.parts()
        sentences = [f"{label}: {text}" for label, text in more]
        if self.right or self.wrong:
            wrong, right = (" / ".join(text.splitlines()) for text in (self.wrong, self.right))
            sentences.append(f"Code: `{wrong}` stands for `{right}`.")
        return " ".join([what if what.endswith(".") or not sentences else f"{what}.", *sentences])


def of_form(why: str | None) -> tuple[Reason, ...]:
    """What is wrong with the form of a function or its answer, if anything is."""
    return (Reason(why, kind="form"),) if why else ()


class Difference(Struct, frozen=True):
    """How what a target gave differs from what is right: in how many of the entries, and by how much in the `first`.

    `off` and `allowed` are numbers, or as the JSON has those that are not finite.
    """

    quantity: str
    differing: int
    entries: int
    first: tuple[int, ...]
    off: float | str
    allowed: float | str

    def __str__(self) -> str:
        differ = "entry differs" if self.entries == 1 else "entries differ"
        place = f", first at {self.first}" if self.first and self.entries > 1 else ""
        return (
            f"{self.quantity}: {self.differing} of {self.entries} {differ}{place}: "
            f"off by {float(self.off):.3g}, allowed {float(self.allowed):.3g}"
        )
