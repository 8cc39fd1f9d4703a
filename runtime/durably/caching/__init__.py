"""Step caches: where they keep values, how keys are made, and how callers share one computation.

StepCache          what a step asks: is there a value, or must I compute it?
cache_key          from a call to a key; cache_namespace and default_cache_key are its parts
InMemoryCache      one process
SqliteCache        one file, any number of processes
SingleFlight       callers who want the same thing at the same time compute it once
"""

from __future__ import annotations

from ._cache import Cache as Cache
from ._cache import Claims as Claims
from ._cache import FullKey as FullKey
from ._cache import Namespace as Namespace
from ._cache import checked as checked
from ._flight import SingleFlight as SingleFlight
from ._flight import Turn as Turn
from ._keys import cache_key as cache_key
from ._keys import cache_namespace as cache_namespace
from ._keys import default_cache_key as default_cache_key
from ._memory import InMemoryCache as InMemoryCache
from ._sqlite import SqliteCache as SqliteCache
from ._steps import Entry as Entry
from ._steps import StepCache as StepCache
from ._steps import at_once as at_once
from ._threaded import ThreadedCache as ThreadedCache
