"""Medicines that don't exist, for tests that must know every word of a corpus."""

from __future__ import annotations

from wardround.corpora.medicines import Attribute, Medicine, Names, SourceRef

A = Attribute


def invented(
    name: str,
    *,
    form: str | None = None,
    texts: dict[Attribute, str] | None = None,
    substances: tuple[str, ...] = (),
    brands: tuple[str, ...] = (),
    generic: tuple[str, ...] | None = None,
    aliases: tuple[str, ...] = (),
    misspellings: tuple[str, ...] = (),
    slug: str = "",
) -> Medicine:
    """A medicine with the id `invented:<slug or the name in lower case with hyphens>`."""
    slug = slug or "-".join([*name.lower().split(), *([form] if form else [])])
    return Medicine(
        id=f"invented:{slug}",
        names=Names(
            display=f"{name} ({form})" if form else name,
            generic=(name.lower(),) if generic is None else generic,
            substances=substances or (name.lower(),),
            brands=brands,
            aliases=aliases,
            misspellings=misspellings,
        ),
        form=form,
        source=SourceRef(name="invented", id=slug, version="1", date="2026-01-02"),
        texts=texts or default_texts(name),
    )


def default_texts(name: str) -> dict[Attribute, str]:
    """A sentence on each of six attributes."""
    return {
        A.INDICATIONS: f"{name} is used to treat imaginary complaints.",
        A.DOSAGE: f"The usual dose of {name} is one unit in the morning.",
        A.CONTRAINDICATIONS: f"{name} must not be used by people who are allergic to it.",
        A.ADVERSE_REACTIONS: f"{name} often causes yawning and sometimes a rash.",
        A.INTERACTIONS: f"{name} may act for longer together with other invented things.",
        A.STORAGE: f"Keep {name} below 25 degrees, away from light.",
    }


INVENTED = (
    invented("Florbutinol", form="tablet", brands=("Sanquil",), aliases=("氟布替诺",)),
    invented("Florbutinol", form="injection", brands=("Sanquil IV",)),
    invented("Revastigamine", brands=("Relief",), misspellings=("revastigmean",)),
    invented("Ostramycin hydrochloride", generic=("ostramycin",), brands=("Children's Ostra",)),
    invented(
        "Ostramycin and bevarone",
        generic=("ostramycin and bevarone",),
        substances=("ostramycin hydrochloride", "bevarone"),
        brands=("Duobev",),
    ),
    invented("盐酸示例洛尔片", generic=("示例洛尔",), substances=("盐酸示例洛尔",), slug="zh-lol"),
)
"""Two forms of one substance, an everyday word as a brand, a salt, a combination, a Chinese name."""
