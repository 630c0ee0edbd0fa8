// SPDX-License-Identifier: Apache-2.0
#include "cli/python_environment.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace writ;
using namespace writ::cli;

namespace {

// As pyenv writes them.
constexpr char const* shim = "#!/usr/bin/env bash\nset -e\nprogram=\"${0##*/}\"\nexport PYENV_ROOT=\"/nowhere\"\nexec \"/nowhere/libexec/pyenv\" exec \"$program\" \"$@\"\n";
constexpr char const* binary = "\177ELF";

class Pythons : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-python-XXXXXX").string();
        home = std::filesystem::canonical(::mkdtemp(name.data()));
        write_program("venv/bin/python3", binary);
        write("venv/pyvenv.cfg", "home = /usr/bin\n");
        variables = { { "PATH", "/nowhere:" + at("venv/bin") } };
    }
    void TearDown() override { std::filesystem::remove_all(home); }

    [[nodiscard]] std::string at(std::string const& name) const { return (home / name).string(); }
    void write(std::string const& name, std::string const& text) const
    {
        std::filesystem::create_directories((home / name).parent_path());
        ASSERT_TRUE(replace_file(home / name, as_bytes(text)).is_ok());
    }
    void write_program(std::string const& name, std::string const& text) const
    {
        write(name, text);
        std::filesystem::permissions(home / name, std::filesystem::perms::owner_all);
    }
    // Below the folder, and with its note, if there is one.
    [[nodiscard]] std::string found(std::vector<std::string> const& command, std::string const& folder = "") const
    {
        auto const python = python_of(command, variables, home / folder);
        if (!python)
            return "none";
        return python->path.string().substr(std::min(python->path.string().size(), home.string().size() + 1)) + (python->note.empty() ? "" : ": " + python->note);
    }

    Path home;
    Variables variables;
};

} // namespace

TEST_F(Pythons, are_named_or_in_the_first_line_or_on_path)
{
    write_program("train.py", "#!" + at("venv/bin/python3") + " -u\nexec \"/bin/python-not\"\n");
    write_program("other.py", "#!/usr/bin/env -S A=b python3 -u\n");
    write_program("job.sh", "#!/bin/sh\necho python3\n");
    for (auto const& command : std::vector<std::vector<std::string>> { {}, { at("venv/bin/python3"), "x" }, { "python3" }, { at("train.py") }, { at("other.py") }, { at("job.sh") }, { "make" },
             { "/usr/bin/env", "-i", "A=b", "python3", "x" }, { "" } })
        EXPECT_EQ(found(command), "venv/bin/python3") << testing::PrintToString(command);
    write_program("venv/bin/nice", binary);
    EXPECT_EQ(found({ "timeout", "-k", "5", "60", "nice", "-n", "5", at("train.py"), "x" }), "venv/bin/python3");
    variables["PATH"] = "/nowhere";
    EXPECT_EQ(found({ "make" }), "none");
}

TEST_F(Pythons, behind_shims_of_pyenv_are_those_of_the_version_that_is_chosen)
{
    for (auto const* version : { "3.9.18", "3.12.1", "3.12.10", "team" })
        write_program("pyenv/versions/" + std::string(version) + "/bin/python3", binary);
    write_program("pyenv/versions/3.9.18/bin/torchrun", "#!" + at("pyenv/versions/3.9.18/bin/python3") + "\n");
    write_program("pyenv/shims/python3", shim);
    write_program("pyenv/shims/torchrun", shim);
    write("pyenv/version", "3.9.18\n");
    write("project/.python-version", "# ours\n3.12\n");
    std::filesystem::create_directories(home / "project/deep");
    variables["PATH"] = at("pyenv/shims") + ":" + at("venv/bin");
    EXPECT_EQ(found({}), "pyenv/versions/3.9.18/bin/python3");
    EXPECT_EQ(found({ "torchrun", "x" }), "pyenv/versions/3.9.18/bin/python3");
    EXPECT_EQ(found({ "python3" }, "project/deep"), "pyenv/versions/3.12.10/bin/python3");
    variables["PYENV_VERSION"] = "missing:team";
    EXPECT_EQ(found({}, "project"), "pyenv/versions/team/bin/python3");
    variables["PYENV_VERSION"] = "system";
    EXPECT_EQ(found({}), "venv/bin/python3");
    variables["PYENV_VERSION"] = "missing";
    EXPECT_EQ(found({}), "pyenv/shims/python3: a shim of pyenv's for which no version is chosen that has it");
}

TEST_F(Pythons, of_projects_are_where_their_runners_keep_them)
{
    write("project/pyproject.toml", "");
    write_program("project/.venv/bin/python3", binary);
    write_program("other/bin/python3", binary);
    std::filesystem::create_directories(home / "project/src");
    for (auto const* runner : { "uv", "poetry", "/usr/local/bin/pdm" })
        EXPECT_EQ(found({ runner, "run", "train.py" }, "project/src"), "project/.venv/bin/python3");
    EXPECT_EQ(found({ "uv", "run", "train.py" }), "venv/bin/python3"); // no project: the one on PATH
    variables["VIRTUAL_ENV"] = at("other");
    EXPECT_EQ(found({ "uv", "run", "train.py" }), "other/bin/python3");
    variables["UV_PROJECT_ENVIRONMENT"] = "../other";
    EXPECT_EQ(found({ "uv", "run", "train.py" }, "project"), "project/../other/bin/python3");
}

TEST_F(Pythons, in_wrappers_are_those_they_hand_their_arguments_to)
{
    write_program("bin/tool", "#!/bin/sh\n'''exec' \"" + at("venv/bin/python3") + "\" \"$0\" \"$@\"\n' '''\nimport sys\n");
    write_program("venv/bin/moved", "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python3' \"$0\" \"$@\"\n' '''\n");
    write_program("bin/python3", "#!/bin/bash\nexport A=b\nexec " + at("venv/bin/python3") + " \"$@\"\n");
    write_program("bin/python4", "#!/bin/bash\nexec \"$SOMETHING\" \"$@\"\n");
    write_program("bin/circle", "#!" + at("bin/circle") + "\n");
    for (auto const* name : { "bin/tool", "venv/bin/moved", "bin/python3", "bin/circle" })
        EXPECT_EQ(found({ at(name) }), "venv/bin/python3") << name;
    EXPECT_EQ(found({ at("bin/python4") }), "bin/python4: a script; which Python it starts is not seen from here");
    write_program("mise", binary);
    std::filesystem::create_symlink(home / "mise", home / "bin/python5");
    EXPECT_NE(found({ at("bin/python5") }).find("a link to " + at("mise")), std::string::npos);
}

TEST_F(Pythons, look_for_packages_in_their_prefix_and_where_variables_say)
{
    auto const folder = [this](std::string const& name) {
        std::filesystem::create_directories(home / name);
        return home / name;
    };
    auto const own = folder("venv/lib/python3.11/site-packages"), system = folder("usr/lib/python3/dist-packages"), user = folder("user/.local/lib/python3.11/site-packages"), more = folder("more");
    EXPECT_EQ(package_folders(home / "venv/bin/python3", { { "PYTHONPATH", ":" + more.string() } }), (std::vector<Path> { more, own }));
    write("venv/pyvenv.cfg", "include-system-site-packages = true\nhome = " + at("usr/bin") + "\n");
    EXPECT_EQ(package_folders(home / "venv/bin/python3", { { "HOME", at("user") } }), (std::vector<Path> { own, user, system }));
    // Found by a link from elsewhere.
    write_program("usr/bin/python3.11", binary);
    folder("bin");
    std::filesystem::create_symlink(home / "usr/bin/python3.11", home / "bin/python3");
    EXPECT_EQ(package_folders(home / "bin/python3", {}), std::vector<Path> { system });
}
