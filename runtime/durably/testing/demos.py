"""The scripts by which the model server plays the model of the two demo programs.

They answer ``examples/demo_crew.py`` and ``examples/demo_team.py``, which `durably demo` runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .model_server.reply import Reply
from .model_server.script import Rule, When

_ADA = "ada@example.com"
_MAIL = "Dear Ada, your parcel was lost in transit. We refund you in full within 5 days."


def crew_script() -> list[Rule]:
    """Return the script for the support desk in CrewAI.

    A plain run of the program makes 7 model requests and sends one mail.

    Example:
        Serve it, then point the unchanged program at the server::

            with ModelServer(crew_script()) as server:
                os.environ["OPENAI_BASE_URL"] = server.url
                subprocess.run([sys.executable, "demo_crew.py"], check=True)
    """
    facts = (
        "Order 1042, two teapots for Ada Moss <ada@example.com>, was lost in transit; "
        "she is owed a full refund within 5 days."
    )
    look_up_task, mail_task, report_task = "Look up order", "Send the customer", "Report how"
    return [
        Rule(
            When(anywhere=look_up_task, tool="look_up", result="Policy 'lost'"), Reply.text(facts)
        ),
        Rule(
            When(anywhere=look_up_task, tool="look_up", result="lost in transit"),
            Reply.tool("look_up", {"kind": "policy", "key": "lost"}),
        ),
        Rule(
            When(anywhere=look_up_task, turns=0),
            Reply.tool("look_up", {"kind": "order", "key": "1042"}),
        ),
        Rule(
            When(anywhere=mail_task, tool="send_mail", result="Sent to"),
            Reply.text(f"Ada Moss was written to: {_MAIL}"),
        ),
        Rule(
            When(anywhere=mail_task, turns=0), Reply.tool("send_mail", {"to": _ADA, "body": _MAIL})
        ),
        Rule(
            When(anywhere=report_task, turns=0),
            Reply.tool("look_up", {"kind": "order", "key": "1042"}),
        ),
        Rule(
            When(anywhere=report_task, tool="look_up"),
            Reply.text("Order 1042 was lost in transit; Ada Moss was promised a full refund."),
        ),
    ]


def team_script() -> list[Rule]:
    """Return the script for the support desk in AutoGen.

    A plain run of the program makes 8 model requests, 3 of them to choose the next speaker, and
    sends one mail.
    """
    plan = "The worker must look up order 1042 and send the customer one mail."
    done = "I looked up order 1042 and wrote to Ada Moss."
    choose = "select the next role"
    return [
        Rule(When(anywhere=choose, system=done), Reply.text("reviewer")),
        Rule(When(anywhere=choose, system=plan), Reply.text("worker")),
        Rule(When(anywhere=choose), Reply.text("planner")),
        Rule(When(system="You are the planner"), Reply.text(plan)),
        Rule(When(system="You are the worker", tool="send_mail"), Reply.text(done)),
        Rule(
            When(system="You are the worker", tool="look_up_order", result="lost in transit"),
            Reply.tool("send_mail", {"to": _ADA, "body": _MAIL}),
        ),
        Rule(
            When(system="You are the worker", turns=0),
            Reply.tool("look_up_order", {"number": "1042"}),
        ),
        Rule(
            When(system="You are the reviewer"),
            Reply.text("APPROVED: the order was looked up and the customer was told."),
        ),
    ]


SCRIPTS: Mapping[str, Callable[[], list[Rule]]] = MappingProxyType(
    {"crew": crew_script, "team": team_script}
)
"""The built-in scripts by name."""
