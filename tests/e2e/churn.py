#!/usr/bin/env python3
"""A server does not grow with the clients that have been there."""

import pathlib
import sys

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import churn


def test_ten_thousand_clients_that_came_and_went_leave_neither_memory_nor_descriptors_behind():
    churn.check(churn.churn(10_000, 10))


def test_nor_where_sessions_outlive_the_process():
    churn.check(churn.churn(4_000, 8, ["--set", 'store.engine="durable"', "--set", "session.durable=true"]))


if __name__ == "__main__":
    harness.main(globals())
