-- Asks for the first page of the leads. Headers come from the command line.

done = dofile("report.lua")
