// SPDX-License-Identifier: Apache-2.0
//
// The end of a loop's tasks, before the end of what they refer to. What is destroyed afterwards may still hold streams and timers of the loop, which is there until all of
// them are gone.
#pragma once

#include "net/task.h"

namespace writ::net {

// Destroys, when it goes, every task that still waits; nothing runs on the loop any more. Declared last, behind the loop and what its tasks use.
class TaskEnd {
public:
    explicit TaskEnd(EventLoop& loop)
        : loop_(loop)
    {
    }
    ~TaskEnd();
    TaskEnd(TaskEnd const&) = delete;
    TaskEnd& operator=(TaskEnd const&) = delete;

private:
    EventLoop& loop_;
};

} // namespace writ::net
