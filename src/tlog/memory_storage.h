// SPDX-License-Identifier: Apache-2.0
//
// Both stores in memory, for tests: `Disk` outlives the stores as a disk outlives processes, and can lose power. Thread-safe but for
// MemoryCheckpoints.
#pragma once

#include "tlog/log_storage.h"

#include <map>
#include <mutex>

namespace writ::tlog {

struct MemoryDisk {
    std::mutex mutex;
    std::string checkpoint;
    std::map<std::string, Bytes> objects, settled;

    // What was never settled is gone.
    void lose_power()
    {
        std::scoped_lock const lock(mutex);
        objects = settled;
    }
};

class MemoryCheckpoints final : public CheckpointStore {
public:
    explicit MemoryCheckpoints(std::shared_ptr<MemoryDisk> disk)
        : disk_(std::move(disk))
    {
    }
    Result<std::string> load() override
    {
        std::scoped_lock const lock(disk_->mutex);
        return disk_->checkpoint;
    }
    Result<> replace(std::string_view expected, std::string_view next) override
    {
        std::scoped_lock const lock(disk_->mutex);
        if (next.size() > checkpoint_bytes_max)
            return invalid_argument("a checkpoint of " + std::to_string(next.size()) + " bytes");
        if (disk_->checkpoint != expected)
            return conflict("another checkpoint is there");
        disk_->checkpoint = next;
        return {};
    }

private:
    std::shared_ptr<MemoryDisk> disk_;
};

class MemoryTiles final : public TileStore {
public:
    explicit MemoryTiles(std::shared_ptr<MemoryDisk> disk)
        : disk_(std::move(disk))
    {
    }
    Result<> put(std::string const& path, BytesView bytes) override
    {
        std::scoped_lock const lock(disk_->mutex);
        disk_->objects.insert_or_assign(path, Bytes(bytes.begin(), bytes.end()));
        return {};
    }
    Result<> replace(std::string const& path, BytesView bytes) override
    {
        TRY(put(path, bytes));
        return settle({ path });
    }
    Result<Bytes> get(std::string const& path, std::size_t size_max) const override
    {
        std::scoped_lock const lock(disk_->mutex);
        auto const found = disk_->objects.find(path);
        if (found == disk_->objects.end())
            return not_found("no `" + path + "`");
        if (found->second.size() > size_max)
            return resource_exhausted("`" + path + "` is longer than " + std::to_string(size_max));
        return found->second;
    }
    void remove(std::string const& path) override
    {
        std::scoped_lock const lock(disk_->mutex);
        for (auto* const objects : { &disk_->objects, &disk_->settled })
            std::erase_if(*objects, [&](auto const& object) { return object.first == path || object.first.starts_with(path + "/"); });
    }
    Result<> settle(std::vector<std::string> const& paths) override
    {
        std::scoped_lock const lock(disk_->mutex);
        for (auto const& path : paths) {
            if (!disk_->objects.contains(path))
                return not_found("no `" + path + "`");
            disk_->settled[path] = disk_->objects.at(path);
        }
        return {};
    }
    Result<std::vector<std::string>> find_damaged(std::vector<Expected> const& expected) const override
    {
        std::scoped_lock const lock(disk_->mutex);
        std::vector<std::string> damaged;
        for (auto const& [path, size] : expected) {
            auto const found = disk_->objects.find(path);
            if (found == disk_->objects.end() || found->second.empty() || (size > 0 && found->second.size() != size))
                damaged.push_back(path);
        }
        return damaged;
    }

private:
    std::shared_ptr<MemoryDisk> disk_;
};

} // namespace writ::tlog
