"""Agents, which import what they need when they need it."""

from __future__ import annotations


class Agent:
    def work(self, task):
        from fakeframework.models import Model

        return Model().call(task)
