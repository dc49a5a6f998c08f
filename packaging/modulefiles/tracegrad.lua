-- Environment module (Lmod): copy it to MODULEPATH/tracegrad/VERSION.lua and set the prefix.
local version = "0.1.0"
local prefix = "/opt/tracegrad/" .. version
help("Matrix objectives as text, minimised over MPI ranks: tracegrad --help, man tracegrad")
whatis("Name: tracegrad")
whatis("Version: " .. version)
-- The MPI that it was built with: depends_on("openmpi")
prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("LD_LIBRARY_PATH", pathJoin(prefix, "lib"))
prepend_path("LIBRARY_PATH", pathJoin(prefix, "lib"))
prepend_path("CPATH", pathJoin(prefix, "include"))
prepend_path("PKG_CONFIG_PATH", pathJoin(prefix, "lib/pkgconfig"))
prepend_path("CMAKE_PREFIX_PATH", prefix)
prepend_path("MANPATH", pathJoin(prefix, "share/man"))
prepend_path("FPATH", pathJoin(prefix, "share/zsh/site-functions"))
setenv("TRACEGRAD_ROOT", prefix)
