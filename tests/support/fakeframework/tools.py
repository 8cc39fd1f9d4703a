"""Tools: methods of every kind, and a plain function."""

from __future__ import annotations


class Tool:
    prefix = "ran"

    def run(self, argument):
        return f"{self.prefix} {argument}"

    @staticmethod
    def check(argument):
        return f"checked {argument}"

    @classmethod
    def named(cls, name):
        return f"{cls.__name__} {name}"

    @property
    def size(self):
        return 1


def shout(text):
    return text.upper()
