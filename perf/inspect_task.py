"""The same two model calls an example in inspect_ai; run by `evaluation.py` in inspect_ai's own environment.

python inspect_task.py ADDRESS N AT_ONCE LOG_FOLDER      prints the seconds that the evaluation took
"""

# pyright: basic, reportMissingImports=false
import os
import sys
import time

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, solver

address, n, at_once, logs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.environ["OPENAI_API_KEY"] = "none"
case = "A 54-year-old woman has had a cough for three weeks. " * 20


@solver
def ask_again():
    async def solve(state, generate):  # noqa: ARG001 - the form that it calls
        state.messages.append(ChatMessageUser(content="Now the letter alone."))
        return state

    return solve


task = Task(
    dataset=MemoryDataset([Sample(input=f"{i}. {case}", target="A") for i in range(n)]),
    solver=[generate(), ask_again(), generate()],
    scorer=includes(),
)
model = get_model("openai/mock", base_url=address, api_key="none", responses_api=False)
begin = time.perf_counter()
(log,) = eval(task, model=model, max_connections=at_once, max_samples=at_once, display="none", log_dir=logs)
took = time.perf_counter() - begin
if log.status != "success":
    sys.exit(f"{log.status}: {log.error}")
print(took)
