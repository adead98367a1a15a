-- Requests the first page of leads. Headers come from the command line.

done = dofile("report.lua")
