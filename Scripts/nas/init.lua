-- The library of nasrun.
return {}
