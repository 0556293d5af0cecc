module mbsim

go 1.26
