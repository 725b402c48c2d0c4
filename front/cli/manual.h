/* What the files of umd-manual share. */
#ifndef FRONT_CLI_MANUAL_H
#define FRONT_CLI_MANUAL_H

#include "cli.h"

void manual_put_bash(void);

#endif
