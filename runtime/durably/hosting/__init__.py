"""Composition: a host for runs, wrapped objects, launched scripts."""

from __future__ import annotations

from ._delivering import delivered as delivered
from ._following import Following as Following
from ._following import Retelling as Retelling
from ._following import follow as follow
from ._following import joinable as joinable
from ._host import DEFAULT_URL as DEFAULT_URL
from ._host import Host as Host
from ._inbox import Inbox as Inbox
from ._inbox import Receipt as Receipt
from ._launching import begin as begin
from ._launching import launch as launch
from ._launching import launch_when_used as launch_when_used
from ._piping import apipe as apipe
from ._piping import pipe as pipe
from ._programs import Commanded as Commanded
from ._programs import Program as Program
from ._programs import load_code as load_code
from ._programs import load_module as load_module
from ._programs import load_script as load_script
from ._runs import all_runs as all_runs
from ._runs import find_run as find_run
from ._runs import fold as fold
from ._threads import named_thread as named_thread
from ._threads import open_run as open_run
from ._threads import place_of as place_of
from ._threads import thread_of as thread_of
from ._waking import decided as decided
from ._waking import is_due as is_due
from ._waking import parked as parked
from ._who import who_is_here as who_is_here
from ._wrapping import Durable as Durable
from ._wrapping import wrap as wrap
