"""Our own page over a scripted model, a synthetic patient and the small corpus: for tests in a browser."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway_server import served
from wardround.corpora.cohort import make_cohort
from wardround.corpora.cohort.drawing import draw
from wardround.corpora.cohort.writing import cohort_patients
from wardround.corpora.patients import PatientStore, write_patients
from wardround.models.script import Script
from wardround.models.scripted import ScriptedChat
from wardround.serving import Options, create_app, known_agents
from wardround.serving.keys import KeyFile
from wardround.serving.page import mounted_page
from wardround.serving.page_turns import About

if TYPE_CHECKING:
    from wardround.corpora import Corpus

SEED = 7
HOSTILE = "<img src=x onerror='window.stolen=1'><script>window.stolen=2</script>"
ANSWER = (
    "NSAIDs, COX-2 inhibitors included, may weaken the blood pressure effect of losartan and, together with losartan, "
    "may worsen kidney function, above all in the elderly, in people low on fluid, and in weak kidneys [1]. "
)
MORE = "Losartan can raise lithium levels and cause lithium toxicity, so lithium must be monitored [1]."
CASE = (
    "A woman of 74 has had a headache over the right temple for three weeks, with scalp tenderness. Her jaw hurts when "
    "she chews. Her shoulders are stiff in the morning. Yesterday she lost sight in her right eye for ten minutes. "
    "ESR 96 mm/h."
)
DIFFERENTIAL = {
    "reasoning": "Age, headache, jaw claudication and a raised ESR fit one disease best.",
    "differential": [
        {
            "diagnosis": "Giant cell arteritis",
            "for": ["Her jaw hurts when she chews", "ESR 96 mm/h", "scalp tenderness"],
            "against": [],
        },
        {
            "diagnosis": "Polymyalgia rheumatica",
            "for": ["Her shoulders are stiff in the morning"],
            "against": ["Her jaw hurts when she chews"],
        },
        {"diagnosis": "Trigeminal neuralgia", "for": ["pain in bursts"], "against": ["ESR 96 mm/h"]},
    ],
    "next_tests": ["biopsy of the temporal artery", "ultrasound of the temporal arteries"],
    "red_flags": ["sight may be lost within hours: do not wait for the biopsy"],
}


class Page(NamedTuple):
    """The page as it is served."""

    address: str
    secret: str
    patient: str
    study: str
    """A study that has at least two before it."""
    question: str
    """About a region that the earlier reports speak of."""
    films: tuple[Path, Path]
    """The film before it, and its own."""
    keys: KeyFile

    @property
    def link(self) -> str:
        """As `wardround chat` opens it."""
        return f"{self.address}/chat/#key={self.secret}"


def _script(historian: str) -> Script:
    search = {"medicine": "losartan", "attribute": "interactions", "keywords": "ibuprofen"}
    rules: list[dict[str, Any]] = [
        {"role": "router", "last": "changed", "reply": {"json": {"specialist": "progression"}}},
        {"role": "router", "last": "jaw", "reply": {"json": {"specialist": "diagnosis"}}},
        {"role": "router", "reply": {"json": {"specialist": "consultation"}}},
        {"role": "distiller", "last": "hostile", "reply": {"content": "no call"}},
        {"role": "distiller", "reply": {"tool_calls": [{"name": "search_medicine", "args": search}]}},
        {"role": "reader", "last": "slowly", "reply": {"content": ANSWER}, "delay_s": 20},
        {"role": "reader", "reply": {"content": ANSWER + MORE}, "delay_s": 0.4},
        {"role": "historian", "reply": {"content": historian}, "delay_s": 0.4},
        {"reply": {"json": DIFFERENTIAL}, "delay_s": 0.4},
    ]
    return Script.model_validate({"rules": rules})


@contextmanager
def page_server(folder: Path, corpus: Corpus) -> Generator[Page]:
    """Serve it, with everything that is kept in `folder`."""
    cohort = make_cohort(5, SEED)
    write_patients(folder / "patients.sqlite", list(cohort_patients(cohort)), source="synthetic", folder=folder)
    asked = next(
        q for q in cohort.train + cohort.test if _earlier(cohort, q.cur_image_path) >= 2 and "lung" in q.question
    )
    parts = asked.cur_image_path.split("/")
    patient, study = parts[2][1:], parts[3][1:]
    with PatientStore(folder / "patients.sqlite") as store:
        chat = ScriptedChat(script=_script("It is much as it was: the earlier report speaks of it [1]."))
        chat = chat.model_copy(update={"declared": chat.declared.model_copy(update={"vision": True})})
        agents = known_agents(
            ["ward_round", "consultation", "diagnosis", "progression"],
            model=chat,
            medicines=corpus,
            review=True,
            patients=store,
        )
        keys = KeyFile(folder / "keys.json")
        _, secret = keys.add("page", id="page", patients=("*",))
        about = About(model="scripted", corpus=f"essential: {corpus.manifest.medicines} medicines")

        def way(app: Any, gateway: Any) -> Any:
            return mounted_page(app, gateway, about=about, patients=store)

        app = create_app(agents, Options(state=folder / "state", keys=keys.path), patients=store, ways=[way])
        films = (_film(cohort, asked.prior_image_path[-1], folder), _film(cohort, asked.cur_image_path, folder))
        with served(app) as address:
            yield Page(address, secret, patient, study, asked.question, films, keys)


def _film(cohort: Any, image: str, folder: Path) -> Path:
    """The film drawn."""
    who, number = next((o.who, n) for o in cohort.patients for n, f in enumerate(o.who.films) if f.image == image)
    path = folder / f"{number}.png"
    draw(who, number, cohort.seed).save(path)
    return path


def _earlier(cohort: Any, image: str) -> int:
    """How many films of the same patient were taken before."""
    for one in cohort.patients:
        for number, film in enumerate(one.who.films):
            if film.image == image:
                return number
    return 0
