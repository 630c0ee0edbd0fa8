#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ordinary code of PostgreSQL's clients, no line of Writ: `database_job.py CLIENT steps FOLDER`. An order is {"query": "...", "service": "..." or null}, or {"fork": ...} of one;
each connects anew, as a pool does, and the answer is {"value": rows} or {"error": "..."}."""
import multiprocessing
import sys
from urllib.parse import quote

from orders import obey


def psycopg(service, query):
    import psycopg
    with psycopg.connect(f"service='{service}'" if service else "") as connection:
        return connection.execute(query).fetchall()


def psycopg2(service, query):
    import psycopg2
    connection = psycopg2.connect(f"service='{service}'" if service else "")
    with connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def asyncpg(service, query):
    import asyncio

    import asyncpg

    async def ask():
        # It looks at a service only where there is a URL.
        connection = await asyncpg.connect(f"postgresql://?service={quote(service, safe='')}" if service else None, timeout=30)
        try:
            return [list(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()
    return asyncio.run(ask())


CLIENTS = {"psycopg": psycopg, "psycopg2": psycopg2, "asyncpg": asyncpg}


def ask(client, order):
    return CLIENTS[client](order["service"], order["query"])


def main():
    client, _, folder = sys.argv[1:]

    def answer(order):
        if "fork" in order:
            with multiprocessing.get_context("fork").Pool(4) as pool:
                return {"value": pool.starmap(ask, [(client, order["fork"])] * 8)}
        return {"value": ask(client, order)}
    obey(folder, answer, lambda text: {"error": text})


if __name__ == "__main__":
    main()
