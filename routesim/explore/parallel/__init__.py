"""The search in several processes: each looks at states that it has come to itself, and one process merges what they find, in the
order in which it would have found it alone.

So the answer is the same, whatever is how fast. A state itself never leaves its process: where one has too much to look at, it
tells another by which moves a state is reached.
"""

from routesim.explore.parallel.merging import ParallelSearch
from routesim.explore.parallel.telling import Crew

__all__ = ["Crew", "ParallelSearch"]
