"""What answers an example of a medication benchmark."""

from __future__ import annotations

from typing import NamedTuple

from ..corpora.medicines import Attribute
from .same_medicine import Identity


class Gold(NamedTuple):
    """What answers an example: any of these medicines, and attribute where one is given."""

    pairs: tuple[tuple[frozenset[Identity], Attribute | None], ...]

    def medicine(self, found: Identity) -> bool:
        """Whether this is a right medicine."""
        return any(found in identities for identities, _ in self.pairs)

    def pair(self, found: Identity, attribute: Attribute | None) -> bool:
        """Whether this is a right medicine with a right attribute."""
        return any(found in identities and attribute == wanted for identities, wanted in self.pairs)

    @property
    def by_attribute(self) -> bool:
        """Whether the gold tells attributes at all."""
        return any(attribute is not None for _, attribute in self.pairs)
