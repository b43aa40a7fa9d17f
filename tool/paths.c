/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the built files: see paths.h. */
#include "tool/paths.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/report.h"

static const struct {
    const char *variable;
    const char *in_build; /* below the build folder */
    const char *installed;
} files[BUILT_COUNT] = {
    [BUILT_HYPERVISOR] = {"LINTEL_HYPERVISOR", "hypervisor/lintel-hypervisor", "lintel-hypervisor"},
    [BUILT_MONITOR] = {"LINTEL_MONITOR", "monitor/lintel-monitor", "lintel-monitor"},
    [BUILT_DISC_LOADER] = {"LINTEL_DISC_LOADER", "tool/lintel-disc-loader", "lintel-disc-loader"},
    [BUILT_INITRD] = {"LINTEL_INITRD", "tool/demo-initrd.cpio", "demo-initrd.cpio"},
    [BUILT_DEMO] = {"LINTEL_DEMO", "tool/demo.yaml", "demo.yaml"},
    [BUILT_MANUAL] = {"LINTEL_MANUAL", "tool/lintel.1", "../man/man1/lintel.1"},
    [BUILT_DEBIAN_ROOT] = {"LINTEL_DEBIAN_ROOT", "tool/debian-root", "debian-root"},
    [BUILT_ATA] = {"LINTEL_ATA", "drivers/lintel-ata", "lintel-ata"},
    [BUILT_AHCI] = {"LINTEL_AHCI", "drivers/lintel-ahci", "lintel-ahci"},
    [BUILT_NVME] = {"LINTEL_NVME", "drivers/lintel-nvme", "lintel-nvme"},
    [BUILT_RAM] = {"LINTEL_RAM", "drivers/lintel-ram", "lintel-ram"},
    [BUILT_E1000] = {"LINTEL_E1000", "drivers/lintel-e1000", "lintel-e1000"},
    [BUILT_SWITCH] = {"LINTEL_SWITCH", "services/lintel-switch", "lintel-switch"},
    [BUILT_CONTROL] = {"LINTEL_CONTROL", "services/lintel-control", "lintel-control"},
    [BUILT_CONSOLE] = {"LINTEL_CONSOLE", "services/lintel-console", "lintel-console"},
};

/* The folder above the one that holds this program; the caller frees it. */
static char *own_folder(void)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (length < 0)
        return text("..");
    self[length] = '\0';
    return text("%s", dirname(dirname(self)));
}

/* The first of the places that has the file, or the last of them; the caller frees it. */
static char *first_place(enum built_file file)
{
    char *own = own_folder();
    char *places[] = {
        text("%s/%s", own, files[file].in_build),
        text("%s/%s/%s", own, LINTEL_OWN_DATADIR, files[file].installed),
        text("%s/%s", LINTEL_DATADIR, files[file].installed),
    };
    const size_t last = sizeof(places) / sizeof(places[0]) - 1;
    size_t found = 0;

    while (found < last && access(places[found], R_OK) != 0)
        found++;
    char *path = places[found];
    for (size_t i = 0; i <= last; i++)
        if (i != found)
            free(places[i]);
    free(own);
    return path;
}

char *built_path(enum built_file file)
{
    const char *wanted = getenv(files[file].variable);
    char *path = wanted ? text("%s", wanted) : first_place(file);

    if (access(path, R_OK) == 0)
        return path;
    note("%s: %s; build with ninja, or set %s", path, strerror(errno), files[file].variable);
    free(path);
    return NULL;
}

/* The user's own folder; the environment need not have it. */
static const char *home_folder(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user = home && home[0] ? NULL : getpwuid(geteuid());

    return user ? user->pw_dir : home && home[0] ? home : "/";
}

/* mkdir -p. Returns 0, or -1 with errno set. */
static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int result = mkdir(path, 0700);
        *slash = '/';
        if (result != 0 && errno != EEXIST)
            return -1;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

char *cache_folder(void)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    char *path = cache && cache[0] == '/' ? text("%s/lintel", cache)
                                          : text("%s/.cache/lintel", home_folder());

    if (make_folders(path) == 0)
        return path;
    note("%s: %s; set XDG_CACHE_HOME to a folder that can be written", path, strerror(errno));
    free(path);
    return NULL;
}
