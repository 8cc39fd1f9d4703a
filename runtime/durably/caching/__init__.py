"""Step caches: where they keep values, how keys are made, and how callers share one computation.

StepCache          what a step asks: is there a value, or must I compute it?
cache_key          from a call to a key; cache_namespace and default_cache_key are its parts
InMemoryCache      one process
SqliteCache        one file, any number of processes
SingleFlight       callers who want the same thing at the same time compute it once
"""

from __future__ import annotations

from .async_cache import ThreadedCache as ThreadedCache
from .cache import Cache as Cache
from .cache import Claims as Claims
from .cache import FullKey as FullKey
from .cache import Namespace as Namespace
from .cache import checked as checked
from .keys import cache_key as cache_key
from .keys import cache_namespace as cache_namespace
from .keys import default_cache_key as default_cache_key
from .keys import own_changes_noted as own_changes_noted
from .memory_cache import InMemoryCache as InMemoryCache
from .single_flight import SingleFlight as SingleFlight
from .single_flight import Turn as Turn
from .sqlite_cache import SqliteCache as SqliteCache
from .step_cache import Entry as Entry
from .step_cache import StepCache as StepCache
from .step_cache import at_once as at_once
