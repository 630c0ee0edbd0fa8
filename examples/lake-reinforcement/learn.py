#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Learns to cross a frozen lake by trying (tabular Q-learning in a gymnasium environment), with a checkpoint in S3 every thousand episodes.

Ordinary boto3 and gymnasium. No line of this is about credentials.
"""
import argparse
import io

import boto3
import gymnasium
import numpy
from botocore.exceptions import ClientError

PLACE = {"Bucket": "lake", "Key": "checkpoints/table.npz"}


def load(s3, shape):
    try:
        kept = numpy.load(io.BytesIO(s3.get_object(**PLACE)["Body"].read()))
        return kept["values"], int(kept["episodes"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return numpy.zeros(shape), 0


def save(s3, values, episodes):
    content = io.BytesIO()
    numpy.savez(content, values=values, episodes=episodes)
    s3.put_object(**PLACE, Body=content.getvalue())


def episode(lake, choose, learn=None):
    state, _ = lake.reset()
    while True:
        action = choose(state)
        following, reward, done, cut, _ = lake.step(action)
        if learn:
            learn(state, action, reward, following, done)
        state = following
        if done or cut:
            return reward


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=3000)
    arguments = parser.parse_args()
    chance = numpy.random.default_rng(7)
    lake = gymnasium.make("FrozenLake-v1", is_slippery=False)
    lake.reset(seed=7)
    s3 = boto3.client("s3")
    values, first = load(s3, (lake.observation_space.n, lake.action_space.n))
    print(f"going on at episode {first}")

    def explore(state):
        best = numpy.flatnonzero(values[state] == values[state].max())
        return int(chance.integers(lake.action_space.n)) if chance.random() < 0.3 else int(chance.choice(best))

    def learn(state, action, reward, following, done):
        values[state, action] += 0.5 * (reward + (0 if done else 0.95 * values[following].max()) - values[state, action])

    for number in range(first, first + arguments.episodes):
        episode(lake, explore, learn)
        if (number + 1) % 1000 == 0:
            save(s3, values, number + 1)
    crossed = sum(episode(lake, lambda state: int(values[state].argmax())) for _ in range(100))
    print(f"after {first + arguments.episodes} episodes it crosses {int(crossed)} times of 100")


if __name__ == "__main__":
    main()
