# What is installed beside programs and libraries: manual pages, completions, documents, the gallery, examples; and packages by CPack.
include(GNUInstallDirs)
if(TRACEGRAD_PROGRAMS)
  file(GLOB manual_pages ${PROJECT_SOURCE_DIR}/packaging/man/*.1)
  install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/man/tracegrad-job.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
  set(completions ${PROJECT_SOURCE_DIR}/packaging/completions)
  install(FILES ${completions}/tracegrad.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME tracegrad)
  install(FILES ${completions}/_tracegrad DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${completions}/tracegrad.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs DESTINATION ${CMAKE_INSTALL_DATADIR}/tracegrad)
  install(PROGRAMS ${PROJECT_SOURCE_DIR}/scripts/mpirun-local ${PROJECT_SOURCE_DIR}/scripts/cores ${PROJECT_SOURCE_DIR}/packaging/smoke-test
    DESTINATION ${CMAKE_INSTALL_DATADIR}/tracegrad/scripts)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples DESTINATION ${CMAKE_INSTALL_DATADIR}/tracegrad)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md CHANGELOG.md LICENSE CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})

# `cpack -G DEB` or `cpack -G TGZ` in the folder of the build.
set(CPACK_PACKAGE_NAME tracegrad)
set(CPACK_PACKAGE_VENDOR "The tracegrad authors")
set(CPACK_PACKAGE_CONTACT "The tracegrad authors <tracegrad@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Matrix objectives as text, minimised over MPI ranks")
set(CPACK_PACKAGE_DESCRIPTION " A scalar objective over dense matrices is written as text. tracegrad derives its
 gradient as a formula, compiles it to few distributed products and minimises it.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The libraries of the package itself, which its own programs do not link.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
# OpenBLAS by threads of OpenMP: another one fights with the threads of the program.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "openmpi-bin, libopenblas0-openmp")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gnuplot-nox | gnuplot, libhdf5-103-1")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libopenmpi-dev, python3-numpy")
include(CPack)
