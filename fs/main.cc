#include "fs/commands/command_line.h"

int main(int argc, char** argv) { return imagefs::fs::commands::run(argc, argv); }
