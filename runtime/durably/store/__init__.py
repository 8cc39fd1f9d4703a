"""Long-term memory: items that outlive threads and runs, found by name, by field or by meaning.

Code written for LangGraph's stores works with these. Where they differ, on purpose:

* Values are JSON data in every store, and what a caller gets is its own copy. LangGraph's
  ``InMemoryStore`` keeps the objects themselves, so changing one changes the store.
* What is no JSON data is refused, naming item and path, instead of being converted.
* Items can expire in memory too, and an expired item is never returned, swept or not.
* A second put keeps ``created_at``, and replaces the vectors of the first.
* ``list_namespaces`` lists what holds an item, not what was once asked for.
* A filter that compares a number with something that has no order does not match; LangGraph's
  search fails. Unknown operators and negative limits are refused at once.
* In a ranked search, ``offset`` also counts the items that have no score.
* Two items with the same text can be put in one batch.
* ``SqliteStore`` is one class for sync and async, needs no ``setup()`` and no extension of SQLite,
  and returns unranked items in the order of their first put, as ``InMemoryStore`` does.
"""

from __future__ import annotations

from ..errors import EmbeddingError as EmbeddingError
from ..errors import InvalidNamespaceError as InvalidNamespaceError
from .base import BaseStore as BaseStore
from .config import NOT_PROVIDED as NOT_PROVIDED
from .config import AEmbeddingsFunc as AEmbeddingsFunc
from .config import Embeddings as Embeddings
from .config import EmbeddingsFunc as EmbeddingsFunc
from .config import IndexConfig as IndexConfig
from .config import NotProvided as NotProvided
from .config import TTLConfig as TTLConfig
from .items import Item as Item
from .items import SearchItem as SearchItem
from .memory_store import InMemoryStore as InMemoryStore
from .ops import GetOp as GetOp
from .ops import ListNamespacesOp as ListNamespacesOp
from .ops import MatchCondition as MatchCondition
from .ops import Namespace as Namespace
from .ops import NamespaceMatchType as NamespaceMatchType
from .ops import NamespacePath as NamespacePath
from .ops import Op as Op
from .ops import PutOp as PutOp
from .ops import Result as Result
from .ops import SearchOp as SearchOp
from .persistent_store import SharedStore as SharedStore
from .records import Draft as Draft
from .records import Record as Record
from .records import Records as Records
from .records import expiry as expiry
from .sqlite.store import SqliteStore as SqliteStore
