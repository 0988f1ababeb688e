# Writes OUT, a header that names the commit that SOURCE is at, where it differs from what is there:
# only then is something compiled again.
#
# An archive that `git archive` made knows its commit: it filled in $Format (.gitattributes). Where there is no
# repository, REVISION says it, when it is given.
cmake_minimum_required(VERSION 3.25)
set(commit "$Format:%H$")
if(commit MATCHES "^.Format")
  set(commit "unknown")
  find_package(Git QUIET)
  if(GIT_FOUND AND EXISTS ${SOURCE}/.git)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE head
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} status --porcelain --untracked-files=no
                    OUTPUT_VARIABLE changes ERROR_QUIET)
    if(NOT failed)
      set(commit ${head})
    endif()
  elseif(REVISION)
    set(commit ${REVISION})
  endif()
endif()
string(SUBSTRING "${commit}" 0 12 commit)
if(changes)
  string(APPEND commit ", changed")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define ELEMENTOR_SYNC_COMMIT \"@commit@\"\n" @ONLY)
