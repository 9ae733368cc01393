"""Topologies from where other programs keep them: one file a kind, `sight.KINDS` the table of them."""
