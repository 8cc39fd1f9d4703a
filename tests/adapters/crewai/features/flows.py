"""Flows as their users write them: routes, joins, cycles, state, people, crews inside."""

from __future__ import annotations

import asyncio
import random
import time
from uuid import uuid4

from crewai.flow.flow import Flow, and_, listen, or_, router, start
from crewai.flow.persistence import persist
from pydantic import BaseModel, Field

from durably.testing import Reply, Rule, When

from ..programs import agent, crew, model, task
from ..ways import Feature

WORKS = [Rule(When(anywhere=f"Work {n}."), Reply.text(f"Done {n}.")) for n in "abcdefgh"]


def work(letter, **more):
    """Have a crew do a piece of work."""
    return crew(task(f"Work {letter}.", agent(letter)), **more).kickoff().raw


def cost(flow):
    """Return what a flow says that it cost; before 1.15 none did."""
    return flow.usage_metrics.model_dump() if hasattr(flow, "usage_metrics") else None


def told(flow, output):
    """Return what a flow came to, without its id."""
    state = flow.state.model_dump() if hasattr(flow.state, "model_dump") else dict(flow.state)
    state.pop("id", None)
    outputs = [str(one) for one in flow.method_outputs]
    return output, state, outputs, cost(flow)


def sequence(effect):
    class Sequence(Flow):
        @start()
        def first(self):
            self.state["log"] = ["first"]
            text = work("a")
            effect("first")
            return text

        @listen(first)
        def second(self, text):
            self.state["log"].append("second")
            text += work("b")
            effect("second")
            return text

        @listen(second)
        async def third(self, text):
            effect("third")
            self.state["log"].append("third")
            return text.upper()

    flow = Sequence()
    return told(flow, flow.kickoff())


class Draft(BaseModel):
    """The state of a flow, made anew in each process."""

    topic: str = "tea"
    tries: int = 0
    marks: list[str] = Field(default_factory=list)
    luck: float = Field(default_factory=random.random)


def cycle(effect):
    class Cycle(Flow[Draft]):
        @start("again")
        def write(self):
            self.state.tries += 1
            self.state.marks.append(work("abc"[self.state.tries - 1]))
            effect(f"try {self.state.tries}")
            return self.state.tries

        @router(write)
        def judge(self):
            effect("judge")
            return "again" if self.state.tries < 3 else "good"

        @listen("good")
        def publish(self):
            effect("publish")
            return " ".join(self.state.marks)

    flow = Cycle()
    output, state, *rest = told(flow, flow.kickoff(inputs={"topic": "coffee"}))
    assert 0 <= state.pop("luck") < 1
    return output, state, *rest


def joined(effect):
    class Joined(Flow):
        @start()
        def left(self):
            self.state["left"] = work("a")
            effect("left")

        @start()
        def right(self):
            self.state["right"] = work("b")
            effect("right")

        @listen(and_(left, right))
        def both(self):
            effect("both")
            return sorted([self.state["left"], self.state["right"]])

        @listen(or_(left, right))
        def either(self):
            effect("either")

    flow = Joined()
    output, state, _, usage = told(flow, flow.kickoff())
    return output, state, usage


def apart(effect):
    """Methods side by side that are finished one after the other, by what their own code takes."""

    class Apart(Flow):
        @start()
        async def late(self):
            await asyncio.sleep(0.4)
            self.state["late"] = True
            return "late"

        @start()
        async def soon(self):
            await asyncio.sleep(0.02)
            self.state["soon"] = True
            return "soon"

        @start()
        async def at_once(self):
            self.state["at once"] = True
            return "at once"

        @listen(soon)
        async def then(self):
            self.state["then"] = True
            return "then"

    flow = Apart()
    return told(flow, flow.kickoff())


def shared(effect):
    """Methods side by side that add to one state before and after what takes them long."""

    class Shared(Flow):
        @start()
        def begin(self):
            self.state["log"], self.state["count"] = [], 0

        @listen(begin)
        def left(self):
            return self.add("left", "ab")

        @listen(begin)
        def right(self):
            return self.add("right", "cd")

        def add(self, name, letters):
            self.state["count"] += 1
            self.state["log"].append(name)
            for letter in letters:
                self.state["log"].append(work(letter))
                self.state["count"] += 1
            return name

        @listen(and_(left, right))
        def end(self):
            effect("end")
            return sorted(self.state["log"]), self.state["count"]

    flow = Shared()
    output, state, _, usage = told(flow, flow.kickoff())
    return output, sorted(state["log"]), state["count"], usage


def kept_on_self(effect):
    """What a method sets on the flow itself is there for the next: data, a crew, a model."""

    class Keeps(Flow):
        def __init__(self):
            super().__init__()
            self.llm = model()
            self.notes = []

        @start()
        def prepare(self):
            self.notes.append(work("a"))
            self.number = len(self.notes)

        @listen(prepare)
        def gather(self):
            self.worker = crew(task("Work b.", agent("b", llm=self.llm)))

        @listen(gather)
        def use(self):
            said = self.worker.kickoff().raw
            effect("use")
            return said, self.number, self.notes

    flow = Keeps()
    return told(flow, flow.kickoff())


def persisted(effect):
    @persist()
    class Persisted(Flow[Draft]):
        @start()
        def first(self):
            self.state.tries += 1
            self.state.marks.append(work("a"))
            effect("first")

        @listen(first)
        def second(self):
            self.state.tries += 1
            self.state.marks.append(work("b"))
            effect("second")

    key = "6f1c8f5e-5d5f-4c1c-9c38-000000000001"
    first = Persisted()
    first.kickoff(inputs={"id": key})
    second = Persisted()
    second.kickoff(inputs={"id": key})
    return second.state.tries, second.state.marks, second.state.id


def nested(effect):
    class Inner(Flow):
        @start()
        def one(self):
            text = work("a")
            effect("inner one")
            return text

        @listen(one)
        def two(self, text):
            text += model().call("Work b.")
            effect("inner two")
            return text

    class Outer(Flow):
        @start()
        def begin(self):
            inner = Inner()
            said = inner.kickoff()
            effect("outer")
            return said, cost(inner)

        @listen(begin)
        async def end(self, said):
            inner = Inner()
            return said, await inner.akickoff()

    flow = Outer()
    return told(flow, flow.kickoff())


def nested_side_by_side(effect):
    """Flows inside methods that run beside each other: what is done in them counts as they go."""

    class Inner(Flow):
        @start()
        def one(self):
            return work(self.state["letters"][0])

        @listen(one)
        async def two(self, text):
            made = [crew(task(f"Work {one}.", agent(one))) for one in self.state["letters"][1:]]
            outputs = await asyncio.gather(*(one.kickoff_async() for one in made))
            effect(self.state["letters"])
            return " ".join([text, *(one.raw for one in outputs)])

    class Outer(Flow):
        @start()
        async def begin(self):
            self.state["rounds"], self.state["log"] = 0, []

        @listen(or_(begin, "again"))
        async def left(self):
            letters = "ab"[self.state["rounds"]] + "cd"
            self.state["left"] = await Inner().kickoff_async(inputs={"letters": letters})

        @listen(or_(begin, "again"))
        def right(self):
            letters = "ef"[self.state["rounds"]] + "gh"
            self.state["right"] = Inner().kickoff(inputs={"letters": letters})

        @router(and_(left, right))
        def join(self):
            self.state["log"].append(self.state.pop("left") + self.state.pop("right"))
            self.state["rounds"] += 1
            return "again" if self.state["rounds"] < 2 else "enough"

        @listen("enough")
        def end(self):
            return self.state["log"]

    flow = Outer()
    output, state, _, usage = told(flow, flow.kickoff())
    return output, state, usage


def race(effect):
    """Listeners of which the first to finish counts."""

    class Race(Flow):
        @start()
        def begin(self):
            self.state["won"] = ""

        @listen(begin)
        async def quick(self):
            self.state["won"] += "quick"
            return model().call("Work a.")

        @listen(begin)
        async def slow(self):
            await asyncio.sleep(30)

        @listen(or_(quick, slow))
        def end(self, text):
            effect("end")
            return text

    flow = Race()
    return told(flow, flow.kickoff())


def volatile(effect):
    """Chance and time in a finished method's own code do not change what comes after."""

    class Volatile(Flow):
        @start()
        def roll(self):
            self.state["ticket"] = str(uuid4())
            return time.time()

        @listen(roll)
        def use(self, now):
            work("a")
            return model().call(f"Work b. {self.state['ticket']} {now}")

    flow = Volatile()
    return flow.kickoff()


def shared_model(effect):
    """A model object that all methods use counts the tokens of those that are done, too."""
    used = model()

    class SharedModel(Flow):
        @start()
        def first(self):
            return work_with(used, "a")

        @listen(first)
        def second(self, before):
            return before, work_with(used, "b")

    def work_with(llm, letter):
        output = crew(task(f"Work {letter}.", agent(letter, llm=llm))).kickoff()
        return output.raw, output.token_usage.model_dump()

    flow = SharedModel()
    return told(flow, flow.kickoff()), used.get_token_usage_summary().model_dump()


FEATURES = [
    Feature(sequence, WORKS, skips=True),
    Feature(cycle, WORKS, skips=True, since="1.14"),
    Feature(joined, WORKS, overlaps=True, skips=True),
    Feature(apart, WORKS, overlaps=True, skips=True),
    Feature(shared, WORKS, overlaps=True, skips=True),
    Feature(kept_on_self, WORKS, skips=True),
    # Before, CrewAI saved inside of the method: a kill right after that executes its code again.
    Feature(persisted, WORKS, skips=True, since="1.15"),
    Feature(nested, WORKS, skips=True),
    Feature(nested_side_by_side, WORKS, overlaps=True, skips=True),
    Feature(race, WORKS, overlaps=True, skips=True),
    Feature(shared_model, WORKS, skips=True),
    Feature(volatile, WORKS, volatile=True, skips=True),
]
