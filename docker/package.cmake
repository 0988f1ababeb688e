# What is installed besides the program, and the packages that are made of it (sh docker/release.sh).
#
# The page and the completions are written by the program that is installed.
include(GNUInstallDirs)
set(documents ${CMAKE_CURRENT_BINARY_DIR}/documents)
file(MAKE_DIRECTORY ${documents})
add_custom_command(OUTPUT documents/elementor-sync.1.gz documents/elementor-sync documents/_elementor-sync
                          documents/elementor-sync.fish
                   COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/docker/documents.sh $<TARGET_FILE:elementor-sync>
                   DEPENDS elementor-sync docker/documents.sh WORKING_DIRECTORY ${documents} VERBATIM)
add_custom_target(documents ALL DEPENDS documents/elementor-sync.1.gz)
install(FILES ${documents}/elementor-sync.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${documents}/elementor-sync DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${documents}/_elementor-sync DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${documents}/elementor-sync.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

foreach(unit elementor-sync.service elementor-sync-dashboard.service)
  file(READ docker/systemd/${unit} text)
  string(REPLACE "/usr/bin/" "${CMAKE_INSTALL_FULL_BINDIR}/" text "${text}")
  string(REPLACE "=/etc/" "=${CMAKE_INSTALL_FULL_SYSCONFDIR}/" text "${text}")
  string(REPLACE " /etc/" " ${CMAKE_INSTALL_FULL_SYSCONFDIR}/" text "${text}")
  string(REPLACE ":/etc/" ":${CMAKE_INSTALL_FULL_SYSCONFDIR}/" text "${text}")
  file(CONFIGURE OUTPUT units/${unit} CONTENT "${text}" @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/units/${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES docker/systemd/shop.yaml DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/elementor-sync)

# Debian's package: what Debian wants of it is in docker/debian. The program lies where Debian has it only
# with -DCMAKE_INSTALL_PREFIX=/usr.
install(FILES docker/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian.gz DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "elementor-sync developers <developers@elementor-sync.invalid>")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "$ENV{DEBIAN_REVISION}")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, tzdata")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "deliver confirmed orders from Kafka to an Elementor webhook")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"When an order in PostgreSQL becomes confirmed, its data reaches an Elementor
webhook: once, complete, with the database's own digits, and without the
shop's transaction ever waiting for it. The program is a Kafka consumer group
that reads the changes that Debezium writes, and a dashboard that shows what
became of each order.")
foreach(script conffiles postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_SOURCE_DIR}/docker/debian/${script})
endforeach()
include(CPack)

add_custom_target(release COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/docker/release.sh USES_TERMINAL VERBATIM)
