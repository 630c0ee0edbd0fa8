// SPDX-License-Identifier: Apache-2.0
#include "authority/final_file.h"

namespace writ::authority {

FinalFile::FinalFile(Path file)
    : file_(std::move(file))
    , thread_([this] { work(); })
{
}

FinalFile::~FinalFile()
{
    {
        std::scoped_lock const lock(mutex_);
        is_ending_ = true;
    }
    given_.notify_all();
    thread_.join();
}

void FinalFile::replace(std::string text, std::function<void(Result<>)> done)
{
    {
        std::scoped_lock const lock(mutex_);
        ASSERT(!next_);
        next_.emplace(std::move(text), std::move(done));
    }
    given_.notify_one();
}

void FinalFile::work()
{
    for (;;) {
        std::unique_lock lock(mutex_);
        given_.wait(lock, [this] { return is_ending_ || next_; });
        if (!next_)
            return;
        auto const [text, done] = std::move(*next_);
        next_.reset();
        lock.unlock();
        done(replace_file(file_, as_bytes(text)));
    }
}

} // namespace writ::authority
