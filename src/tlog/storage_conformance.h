// SPDX-License-Identifier: Apache-2.0
//
// What every backend of LogStorage must do, whatever it is made of. A backend's test calls both with a function that opens it, as another
// process would, on the same storage each time it is called.
#pragma once

#include "tlog/log_storage.h"

#include <functional>
#include <gtest/gtest.h>

namespace writ::tlog {

using OpenStorage = std::function<LogStorage()>;

inline void expect_strict_store(OpenStorage const& open)
{
    {
        auto const store = open().checkpoints;
        EXPECT_EQ(store->load().value(), "");
        EXPECT_EQ(store->replace("something", "one").error().code, ErrorCode::conflict);
        EXPECT_EQ(store->load().value(), "") << "a refused replacement changed something";
        EXPECT_TRUE(store->replace("", "one").is_ok());
        EXPECT_EQ(store->load().value(), "one");
        EXPECT_EQ(store->replace("", "two").error().code, ErrorCode::conflict) << "a second log was begun";
    }
    auto store = open().checkpoints;
    EXPECT_EQ(store->load().value(), "one");
    std::string last = "one";
    for (auto const length : { std::size_t(1), std::size_t(500), checkpoint_bytes_max, std::size_t(2) }) {
        std::string const next(length, static_cast<char>('a' + length % 7));
        ASSERT_TRUE(store->replace(last, next).is_ok());
        EXPECT_EQ(store->replace(last, "fork").error().code, ErrorCode::conflict) << "a fork was taken";
        last = next;
        store.reset(); // in a backend with a lock nobody holds two
        store = open().checkpoints;
        EXPECT_EQ(store->load().value(), last);
    }
    EXPECT_EQ(store->replace(last, std::string(checkpoint_bytes_max + 1, 'x')).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(store->load().value(), last);
}

inline void expect_loose_store(OpenStorage const& open)
{
    auto const tiles = open().tiles;
    EXPECT_EQ(tiles->get("tile/0/000", 10).error().code, ErrorCode::not_found);
    for (auto const* const path : { "tile/0/000.p/1", "tile/0/000.p/2", "tile/0/000", "tile/0/x001/000", "tile/entries/000" })
        ASSERT_TRUE(tiles->put(path, as_bytes(path)).is_ok()) << path;
    EXPECT_EQ(as_text(tiles->get("tile/0/x001/000", 100).value()), "tile/0/x001/000");
    EXPECT_EQ(tiles->get("tile/0/x001/000", 14).error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(tiles->get("tile/0", 100).is_ok(), false);
    EXPECT_TRUE(tiles->put("tile/0/000", as_bytes("tile/0/000")).is_ok()) << "the same again is no error";

    tiles->remove("tile/0/000.p");
    EXPECT_EQ(tiles->get("tile/0/000.p/1", 100).error().code, ErrorCode::not_found);
    EXPECT_TRUE(tiles->get("tile/0/000", 100).is_ok()) << "`a.p` is not below `a`";
    tiles->remove("tile/entries/000");
    EXPECT_EQ(tiles->get("tile/entries/000", 100).error().code, ErrorCode::not_found);
    tiles->remove("tile/entries/000"); // says nothing

    for (auto const* const text : { "first", "second and longer", "3rd" }) {
        ASSERT_TRUE(tiles->replace("checkpoint", as_bytes(text)).is_ok());
        EXPECT_EQ(as_text(tiles->get("checkpoint", 100).value()), text);
    }
    EXPECT_TRUE(tiles->settle({ "tile/0/000", "checkpoint" }).is_ok());
    EXPECT_TRUE(tiles->settle({}).is_ok());
    EXPECT_TRUE(tiles->settle({ "tile/0/000", "tile/0/009" }).is_error()) << "what is not there cannot be settled";

    ASSERT_TRUE(tiles->put("tile/0/empty", {}).is_ok());
    auto const damaged = tiles->find_damaged({ { "tile/0/000", 10 }, { "tile/0/000", 11 }, { "tile/0/000", 0 }, { "tile/7/000", 0 },
                                                  { "tile/0/empty", 0 }, { "tile/0/x001/000", 15 } })
                             .value();
    EXPECT_EQ(damaged, (std::vector<std::string> { "tile/0/000", "tile/7/000", "tile/0/empty" }));
    EXPECT_EQ(as_text(open().tiles->get("checkpoint", 100).value()), "3rd");
}

} // namespace writ::tlog
