// SPDX-License-Identifier: Apache-2.0
//
// Which container a process is in, and of which image that was made: the kernel names its control group, and what that stands for is in the files of the node's
// container engine (containers/storage, which podman and CRI-O keep). Says what a container began as; what was changed in it since, nobody says. Not thread-safe.
#pragma once

#include "base/durable_file.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace writ::attest {

struct ContainerGroup {
    std::string id;   // 64 hexadecimal digits
    std::string path; // of its control group
};

// Of a path as /proc/PID/cgroup has it. SECURITY: the outermost: root in a container may make groups of any name within its own.
std::optional<ContainerGroup> parse_container_group(std::string_view cgroup_path);

// In the text of `containers.json` the id of the image, in that of `images.json` the digest of its manifest: `sha256:…`. not_found: there is none.
Result<std::string> image_of_container(std::string_view containers, std::string_view id);
Result<std::string> digest_of_image(std::string_view images, std::string_view id);

class ContainerImages {
public:
    // `storage` is the engine's: /var/lib/containers/storage.
    explicit ContainerImages(Path storage);

    // not_found: it has none of that id, or one without an image. permission_denied: others may write to what is read.
    Result<std::string> digest_of(std::string const& container);

private:
    Result<std::string> look_up(std::string const& container) const;

    Path storage_;
    std::map<std::string, std::string> digests_; // of containers: an id stands for one container for ever, and a container for one image
};

} // namespace writ::attest
