import greeter

greeter.serve()
