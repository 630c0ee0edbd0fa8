// SPDX-License-Identifier: Apache-2.0
//
// The loose store as a folder: an object is a file, complete before its name appears. Private to tlog. Thread-safe.
#pragma once

#include "base/durable_file.h"
#include "tlog/log_storage.h"

#include <atomic>

namespace writ::tlog {

class FolderTiles final : public TileStore {
public:
    // The folder is there; so is `tmp` in it, if anything is written.
    explicit FolderTiles(Path folder)
        : folder_(std::move(folder))
    {
    }

    Result<> put(std::string const& path, BytesView) override;
    Result<> replace(std::string const& path, BytesView) override;
    Result<Bytes> get(std::string const& path, std::size_t size_max) const override;
    void remove(std::string const& path) override;
    Result<> settle(std::vector<std::string> const& paths) override;
    Result<std::vector<std::string>> find_damaged(std::vector<Expected> const&) const override;

private:
    Path temporary();
    Result<> place(Path const& temporary, std::string const& path);

    Path folder_;
    std::atomic<unsigned> next_ = 0;
};

} // namespace writ::tlog
