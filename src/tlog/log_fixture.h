// SPDX-License-Identifier: Apache-2.0
//
// What tests of the log share: a folder that goes with the test, a signer, and appending that waits.
#pragma once

#include "tlog/log.h"

#include <algorithm>
#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <unistd.h>

namespace writ::tlog {

inline Result<std::uint64_t> append_and_wait(Log& log, std::string_view text)
{
    std::promise<Result<std::uint64_t>> promise;
    auto future = promise.get_future();
    log.append(to_bytes(text), [&promise](Result<std::uint64_t> index) { promise.set_value(std::move(index)); });
    return future.get();
}

inline Result<> wait_until_published(Log& log, std::uint64_t size)
{
    std::promise<Result<>> promise;
    auto future = promise.get_future();
    log.when_published(size, [&promise](Result<> result) { promise.set_value(std::move(result)); });
    return future.get();
}

inline Result<> wait_until_in_folder(Log& log, std::uint64_t size)
{
    std::promise<Result<>> promise;
    auto future = promise.get_future();
    log.when_in_folder(size, [&promise](Result<> result) { promise.set_value(std::move(result)); });
    return future.get();
}

class LogFolder : public testing::Test {
protected:
    LogFolder()
    {
        // Memory if there is some: no test here depends on what a disk does, and a disk's syncs take most of their time.
        auto const parent = ::access("/dev/shm", W_OK) == 0 ? Path("/dev/shm") : std::filesystem::temp_directory_path();
        auto pattern = (parent / "writ-tlog-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    ~LogFolder() override { std::filesystem::remove_all(folder_); }

    Path log_folder() const { return folder_ / "log"; }
    LogOptions options() const { return { .folder = log_folder(), .signer = signer_ }; }
    Result<std::unique_ptr<Log>> open() const { return Log::open(options(), clock_); }

    Result<FolderReport> verify() const { return verify_folder(log_folder(), signer_.verifier(), {}); }

    // Appends `entry 0`, `entry 1`… up to `size` and waits until they are in the folder's files.
    static void fill(Log& log, std::uint64_t size)
    {
        std::promise<void> last;
        for (auto index = log.size(); index < size; ++index)
            log.append(to_bytes(text_of(index)), [&last, index, size](Result<std::uint64_t> result) {
                ASSERT(result.is_ok() && *result == index);
                if (index + 1 == size)
                    last.set_value();
            });
        if (log.size() < size)
            last.get_future().wait();
        ASSERT_TRUE(wait_until_in_folder(log, size).is_ok());
    }
    static std::string text_of(std::uint64_t index) { return "entry " + std::to_string(index); }

    Path folder_;
    NoteSigner signer_ { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
    ManualClock clock_ { from_unix_seconds(1'800'000'000) };
};

inline std::vector<Path> files_of(Path const& folder)
{
    std::vector<Path> files;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file())
            files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

inline void write_file(Path const& path, BytesView bytes)
{
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT(file.good());
}

} // namespace writ::tlog
