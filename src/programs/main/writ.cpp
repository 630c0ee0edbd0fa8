// SPDX-License-Identifier: Apache-2.0
#include "programs/programs.h"

int main(int count, char** arguments) { return writ::programs::run_writ(count, arguments); }
