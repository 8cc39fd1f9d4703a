"""Composition: a host for runs, wrapped objects, launched scripts."""

from __future__ import annotations

from .due_runs import decided as decided
from .due_runs import is_due as is_due
from .due_runs import parked as parked
from .entry_identity import module_of as module_of
from .host import DEFAULT_URL as DEFAULT_URL
from .host import Host as Host
from .invoke_result import delivered as delivered
from .launch.launcher import begin as begin
from .launch.launcher import launch as launch
from .launch.launcher import launch_when_used as launch_when_used
from .launch.programs import Commanded as Commanded
from .launch.programs import Program as Program
from .launch.programs import load_code as load_code
from .launch.programs import load_module as load_module
from .launch.programs import load_script as load_script
from .people.inbox import Inbox as Inbox
from .people.inbox import Receipt as Receipt
from .people.responder import who_is_here as who_is_here
from .run_views import all_runs as all_runs
from .run_views import find_run as find_run
from .run_views import fold as fold
from .streams.follow import Following as Following
from .streams.follow import Retelling as Retelling
from .streams.follow import follow as follow
from .streams.follow import joinable as joinable
from .streams.pipe import apipe as apipe
from .streams.pipe import pipe as pipe
from .thread_runs import named_thread as named_thread
from .thread_runs import open_run as open_run
from .thread_runs import place_of as place_of
from .thread_runs import thread_of as thread_of
from .wrap import Durable as Durable
from .wrap import wrap as wrap
